"""Django's permissions, answered from the table of roles. Groups and single rights do not count."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission

from compliance.identity.models import User
from compliance.identity.roles import ADMIN_PAGES, roles_of


class RoleBackend(ModelBackend):
    """Passwords as Django keeps them; rights as `roles` says.

    Roles are read once per user object, that is once per request.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether a role allows this page of the admin: by its name, or for the application."""
        if obj is not None:
            return False
        pages = _pages(user_obj)
        application, _, name = perm.partition(".")
        return perm in pages or f"{application}.{name.partition('_')[0]}" in pages

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether a role allows any page of the application."""
        return any(page.startswith(f"{app_label}.") for page in _pages(user_obj))

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Every permission by name: all of Django's for a superuser."""
        if not isinstance(user_obj, User) or not user_obj.is_active or obj is not None:
            return set()
        known = Permission.objects.values_list("content_type__app_label", "codename").order_by()
        names = {f"{application}.{codename}" for application, codename in known}
        if user_obj.is_superuser:
            return names
        return {name for name in names if self.has_perm(user_obj, name)}

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """See `get_all_permissions`: rights come from roles alone."""
        return self.get_all_permissions(user_obj, obj)

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """None: groups give nothing."""
        return set()


def _pages(user: Any) -> frozenset[str]:
    if not isinstance(user, User):
        return frozenset()
    kept: frozenset[str] | None = getattr(user, "role_pages", None)
    if kept is None:
        kept = frozenset().union(*(ADMIN_PAGES[role] for role in roles_of(user)))
        user.role_pages = kept  # type: ignore[attr-defined]
    return kept if user.is_active else frozenset()
