"""Lin's file, as the stories about enrolling hand it in."""

from io import BytesIO
from typing import Any, Final

from PIL import Image

from payments.channels.enrolling import Enroller, MerchantFile, Picture

NUMBER: Final = "ENR01JD0000000000000000000001"
SECRETS: Final = ("11010519491231002X", "6222020200112233445", "13800138000", "林岚")
VALUES: Final = {
    "entity.entity": "enterprise", "entity.short_name": "茗山茶业", "entity.contact_name": "林岚",
    "entity.contact_mobile": "13800138000", "entity.contact_email": "lin@tea.example",
    "licence.name": "茗山茶业有限公司", "licence.credit_code": "91350100M000100Y43",
    "licence.valid_from": "2015-03-01", "licence.valid_to": "long",
    "licence.address": "福建省福州市鼓楼区一号", "legal_person.name": "林岚",
    "legal_person.identity_number": "11010519491231002X",
    "legal_person.valid_from": "2016-05-01", "legal_person.valid_to": "2036-05-01",
    "legal_person.mobile": "13800138000", "owners.legal_person": "yes",
    "account.kind": "company", "account.holder": "茗山茶业有限公司",
    "account.bank": "中国银行福州分行", "account.bank_code": "104391010016",
    "account.account_number": "6222020200112233445", "business.place": "shop",
    "business.shop_address": "福州市鼓楼区一号", "business.site": "https://tea.example",
    "business.app_name": "茗山",
}  # fmt: skip
EXTRAS: Final = {
    "settlement_id": "716", "qualification_type": "零售批发/生活娱乐/网上商城/其他",
    "service_phone": "0591-1234567", "bank_address_code": "350100",
    "shop_address_code": "350100", "identity_address": "福建省福州市鼓楼区二号", "mcc": "5311",
    "binding_alipay_logon_id": "lin@tea.example", "bank_id": "BOC", "bank_province": "福建省",
    "bank_city": "福州市", "province_code": "350000", "city_code": "350100",
    "district_code": "350102",
}  # fmt: skip
PAPERS: Final = ("licence", "identity_front", "identity_back", "premises")


def picture(colour: str = "white") -> Picture:
    """A photo of a paper."""
    kept = BytesIO()
    Image.new("RGB", (60, 40), colour).save(kept, "PNG")
    return Picture(name="paper.png", media_type="image/png", content=kept.getvalue())


def file_for(enroller: Enroller, number: str = NUMBER, **changes: str) -> MerchantFile:
    """The file with its papers handed over. Changes say "licence__name" for "licence.name"."""
    marks: dict[str, Any] = {}
    for kind in PAPERS:
        outcome = enroller.upload(picture())
        marks[f"documents.{kind}"] = (outcome.value,)  # type: ignore[union-attr]
    changed = {name.replace("__", "."): value for name, value in changes.items()}
    asked = {one.key: EXTRAS[one.name] for one in enroller.extras}
    return MerchantFile(number=number, values=VALUES | asked | changed, pictures=marks)
