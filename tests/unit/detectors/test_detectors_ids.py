"""Numbers of persons, of every kind: published examples and ones made up with the right checksum."""

import pytest

from detector_parts import Find
from gptgate.detectors import DETECTORS

IDS = {kind for name, detector in DETECTORS.items() if name.startswith("ids_") for kind in detector.kinds}

BARE = [
    ("pii.us_ssn", "536-22-8726"),
    ("pii.us_itin", "912-70-1234"),
    ("pii.br_cpf", "529.982.247-25"),
    ("pii.br_cpf", "529982247-25"),
    ("pii.br_cnpj", "11.222.333/0001-81"),
    ("pii.mx_curp", "HEGG560427MVZRRL04"),
    ("pii.mx_rfc", "GODE561231GR8"),
    ("pii.ar_cuit", "20-12345678-6"),
    ("pii.cl_rut", "12.345.678-5"),
    ("pii.uk_nino", "AB123456C"),
    ("pii.uk_nino", "AB 12 34 56 C"),
    ("pii.uk_nino", "AB-12-34-56-C"),
    ("pii.de_pension_number", "65170839J003"),
    ("pii.de_pension_number", "65 170839 J 003"),
    ("pii.de_pension_number", "65-17-08-39-J-003"),
    ("pii.fr_nir", "255081416802538"),
    ("pii.fr_nir", "2 55 08 14 168 025 38"),
    ("pii.fr_nir", "2.55.08.14.168.025/38"),
    ("pii.es_dni", "12345678Z"),
    ("pii.es_dni", "12345678-Z"),
    ("pii.es_dni", "12.345.678-Z"),
    ("pii.es_dni", "X1234567L"),
    ("pii.it_codice_fiscale", "RSSMRA85T10A562S"),
    ("pii.be_register_number", "85.07.30-033.28"),
    ("pii.ch_ahv", "756.9217.0769.85"),
    ("pii.ch_ahv", "7569217076985"),
    ("pii.ch_ahv", "756 9217 0769 85"),
    ("pii.se_personnummer", "811218-9876"),
    ("pii.se_personnummer", "19811218-9876"),
    ("pii.fi_hetu", "131052-308T"),
    ("pii.cz_rodne_cislo", "710319/2745"),
    ("pii.in_pan", "ABCPE1234F"),
    ("pii.cn_resident_id", "11010519491231002X"),
    ("pii.cn_resident_id", "110105 19491231 002X"),
    ("pii.kr_rrn", "770225-1234567"),
    ("pii.sg_nric", "S1234567D"),
    ("pii.tw_id", "A123456789"),
    ("pii.hk_id", "A123456(3)"),
    ("pii.th_id", "1-1012-00236-73-1"),
    ("pii.ru_snils", "112-233-445 95"),
]
BESIDE = [
    ("pii.us_ssn", "SSN", "536228726"),
    ("pii.us_ssn", "social security number", "536 22 8726"),
    ("pii.us_ssn", "SSN", "536/22/8726"),
    ("pii.us_ssn", "SSN", "536_22_8726"),
    ("pii.us_ssn", "SSN", "536 - 22 - 8726"),
    ("pii.us_itin", "ITIN", "912.70.1234"),
    ("pii.us_itin", "ITIN", "912701234"),
    ("pii.ca_sin", "SIN", "046 454 286"),
    ("pii.ca_sin", "numéro d'assurance sociale", "046-454-286"),
    ("pii.br_cpf", "CPF", "52998224725"),
    ("pii.br_cpf", "CPF", "529-982-247-25"),
    ("pii.br_cnpj", "CNPJ", "11222333000181"),
    ("pii.br_cnpj", "CNPJ", "11-222-333/0001.81"),
    ("pii.mx_curp", "curp", "hegg560427mvzrrl04"),
    ("pii.mx_rfc", "RFC", "GODE-561231-GR8"),
    ("pii.ar_cuit", "CUIT", "20123456786"),
    ("pii.ar_cuit", "CUIT", "20-12.345.678-6"),
    ("pii.cl_rut", "RUT", "12 345 678-5"),
    ("pii.cl_rut", "RUT", "12345678-5"),
    ("pii.uk_nino", "National Insurance", "ab123456c"),
    ("pii.uk_nhs", "NHS no", "943 476 5919"),
    ("pii.uk_nhs", "NHS", "9434765919"),
    ("pii.uk_nhs", "NHS", "943/476/5919"),
    ("pii.de_tax_id", "Steuer-ID", "86095742719"),
    ("pii.de_tax_id", "Steueridentifikationsnummer", "47 036 892 816"),
    ("pii.de_tax_id", "IdNr", "47/036/892/816"),
    ("pii.de_id_card", "Personalausweis", "T220001293"),
    ("pii.es_dni", "documento", "x1234567l"),
    ("pii.es_dni", "DNI", "12 345 678 Z"),
    ("pii.es_dni", "NIE", "X-1.234.567-L"),
    ("pii.it_codice_fiscale", "codice fiscale", "rssmra85t10a562s"),
    ("pii.nl_bsn", "BSN", "111222333"),
    ("pii.nl_bsn", "BSN", "111-222-333"),
    ("pii.pt_nif", "NIF", "123456789"),
    ("pii.pt_nif", "NIF", "123-456-789"),
    ("pii.be_register_number", "rijksregisternummer", "85073003328"),
    ("pii.be_register_number", "NISS", "85 07 30 033 28"),
    ("pii.at_insurance_number", "SVNR", "1237 010180"),
    ("pii.at_insurance_number", "SVNR", "1237/01.01.80"),
    ("pii.ie_pps", "PPS", "1234567T"),
    ("pii.ie_pps", "PPS", "1234567-T"),
    ("pii.ie_pps", "PPSN", "1234567FA"),
    ("pii.gr_amka", "AMKA", "01013099997"),
    ("pii.gr_amka", "AMKA", "010130-99997"),
    ("pii.pl_pesel", "PESEL", "44051401359"),
    ("pii.pl_pesel", "PESEL", "440514-01359"),
    ("pii.pl_nip", "NIP", "123-456-32-18"),
    ("pii.pl_nip", "NIP", "123 456 32 18"),
    ("pii.se_personnummer", "personnummer", "8112189876"),
    ("pii.dk_cpr", "CPR", "070761-4284"),
    ("pii.dk_cpr", "CPR", "070761/4284"),
    ("pii.no_fodselsnummer", "fødselsnummer", "151086 95088"),
    ("pii.no_fodselsnummer", "fødselsnummer", "151086-95088"),
    ("pii.cz_rodne_cislo", "rodné číslo", "7103192745"),
    ("pii.cz_rodne_cislo", "rodné číslo", "710319 2745"),
    ("pii.ro_cnp", "CNP", "1630615123457"),
    ("pii.ro_cnp", "CNP", "1 630615 12 3457"),
    ("pii.bg_egn", "EGN", "7523169263"),
    ("pii.hr_oib", "OIB", "33392005961"),
    ("pii.baltic_code", "isikukood", "36805280109"),
    ("pii.tr_kimlik", "T.C. Kimlik No", "17291716060"),
    ("pii.tr_kimlik", "T.C. Kimlik No", "172 917 160 60"),
    ("pii.in_aadhaar", "Aadhaar", "2341 2341 2346"),
    ("pii.in_aadhaar", "Aadhaar", "2341.2341.2346"),
    ("pii.au_tfn", "TFN", "123 456 782"),
    ("pii.au_tfn", "TFN", "123.456.782"),
    ("pii.au_medicare", "Medicare", "2123 45670 1"),
    ("pii.au_abn", "ABN", "51 824 753 556"),
    ("pii.au_abn", "ABN", "51-824-753-556"),
    ("pii.jp_my_number", "My Number", "1234 5678 9018"),
    ("pii.jp_my_number", "My Number", "1234.5678.9018"),
    ("pii.kr_rrn", "RRN", "7702251234567"),
    ("pii.kr_rrn", "RRN", "770225 1234567"),
    ("pii.za_id", "ID number", "8001015009087"),
    ("pii.za_id", "ID number", "800101-5009-087"),
    ("pii.sg_nric", "NRIC", "s1234567d"),
    ("pii.th_id", "Thai national ID", "1101200236731"),
    ("pii.th_id", "Thai national ID", "1 1012 00236 73 1"),
    ("pii.il_id", "Teudat Zehut", "123456782"),
    ("pii.my_nric", "MyKad", "770305-02-1234"),
    ("pii.my_nric", "MyKad", "770305 02 1234"),
    ("pii.id_nik", "NIK", "3171011708450001"),
    ("pii.us_routing_number", "routing", "021000021"),
    ("pii.us_routing_number", "ABA", "0210-0002-1"),
    ("pii.ru_inn", "ИНН", "7707083893"),
    ("pii.ru_inn", "ИНН", "500100732259"),
    ("pii.ru_snils", "СНИЛС", "11223344595"),
    ("pii.ua_rnokpp", "РНОКПП", "3184013700"),
    ("pii.ua_rnokpp", "ІПН", "3184013700"),
    ("pii.kz_iin", "ИИН", "840721234508"),
    ("pii.lv_code", "personas kods", "161175-19997"),
    ("pii.jmbg", "JMBG", "0101006500006"),
    ("pii.jmbg", "EMŠO", "0101006500006"),
    ("pii.hu_taj", "TAJ", "037 762 814"),
    ("pii.hu_tax_id", "adóazonosító", "8343210506"),
    ("pii.bg_egn", "ЕГН", "7523169263"),
]
WITHOUT_CHECKSUM = {
    "pii.us_ssn",
    "pii.us_itin",
    "pii.uk_nino",
    "pii.dk_cpr",
    "pii.in_pan",
    "pii.kr_rrn",
    "pii.my_nric",
    "pii.id_nik",
}
FRAMES = [
    "{} {}",
    "{}={}",
    '{{"{}": "{}"}}',
    "my {} is {}, please",
    "| name | {} |\n|---|---|\n| Ana | {} |",
    "{}: {}.",
]


def others(number: str) -> list[str]:
    """The number with another digit in the place of its last, in all ways."""
    at = max(index for index, char in enumerate(number) if char.isdigit())
    return [number[:at] + digit + number[at + 1 :] for digit in "0123456789" if digit != number[at]]


@pytest.mark.parametrize("frame", ["{}", "the number is {}.", '{{"id": "{}"}}', "x={},", "\\n{}\\n", "({})"])
@pytest.mark.parametrize(("kind", "number"), BARE)
def test_distinct_forms_are_found_anywhere(find: Find, kind: str, number: str, frame: str) -> None:
    assert find(frame.format(number)) == [(kind, number)]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(("kind", "word", "number"), BESIDE)
def test_others_are_found_beside_a_word(find: Find, kind: str, word: str, number: str, frame: str) -> None:
    assert (kind, number) in find(frame.format(word, number))


@pytest.mark.parametrize(("kind", "word", "number"), BESIDE)
def test_and_not_without_it(find: Find, kind: str, word: str, number: str) -> None:
    assert find(f"The reference is {number}.") == []


@pytest.mark.parametrize(("kind", "word", "number"), [*((kind, "ref", number) for kind, number in BARE), *BESIDE])
def test_a_wrong_checksum_is_none(find: Find, kind: str, word: str, number: str) -> None:
    if kind not in WITHOUT_CHECKSUM | {"pii.au_medicare"}:
        wrong = [one for one in others(number) if any(found == kind for found, _ in find(f"{word} {one}"))]
        assert len(wrong) <= 1


def test_the_last_digit_of_a_health_card_is_its_issue(find: Find) -> None:
    assert find("Medicare 2123 45670 2") == [("pii.au_medicare", "2123 45670 2")]
    assert find("Medicare 2123 45671 1") == []


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, *_ in [*BARE, *BESIDE]} == IDS


@pytest.mark.parametrize(
    "text",
    [
        "SSN 000-12-3456, 666-12-3456, 123-00-4567, 123-45-0000 and 987-00-1234",
        "CPF 111.111.111-11",
        "version 10.20.30-400.20",
        "order 123-45-67890 and 5123-45-6789",
        "GB123456A",
        "1234-12-12, 2024-12-01 10:11:12",
        "since 046454287",
        "NHS 0000000000",
        "a1b2c3d4-1234-12-1234",
    ],
)
def test_look_alikes_are_not(find: Find, text: str) -> None:
    assert find(text) == []


def test_a_number_with_both_forms_is_found_once(find: Find) -> None:
    assert find("CPF: 529.982.247-25") == [("pii.br_cpf", "529.982.247-25")]


def test_a_czech_number_of_nine_digits_is_of_before_1954(find: Find) -> None:
    assert find("rodné číslo 285214/204") == [("pii.cz_rodne_cislo", "285214/204")]
    assert find("rodné číslo 545214/204") == []
    assert find("The reference is 285214/204.") == []


def test_a_latvian_code_that_begins_with_32_says_no_date(find: Find) -> None:
    assert find("personas kods 321234-56789") == [("pii.lv_code", "321234-56789")]


def test_an_old_pension_account_has_no_check_number_and_is_not_found(find: Find) -> None:
    assert "pii.ru_snils" not in {kind for kind, _ in find("СНИЛС 001-001-998 00")}
