"""Strangers cannot fill the disk: what is too long is refused before it is read."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.test import Client

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("page", ["/pay/x/", "/signin/", "/i18n/setlang/", "/nowhere/"])
def test_a_strangers_file_is_not_even_read(monkeypatch, page):
    begun: list[object] = []
    for handler in (MemoryFileUploadHandler, TemporaryFileUploadHandler):
        monkeypatch.setattr(handler, "new_file", lambda self, *a, **k: begun.append(self))
    sent = {"method": "alipay", "file": SimpleUploadedFile("f", b"x" * 3 * MEBIBYTE)}
    answer = Client().post(page, sent)
    assert answer.status_code == 413
    assert "content-security-policy" in answer.headers
    assert begun == []


@pytest.mark.django_db
def test_a_form_of_usual_size_is_read():
    answer = Client().post("/pay/x/", {"method": "alipay", "more": "x" * 1000})
    assert answer.status_code == 404
