"""Passwords in sentences, in many languages, and sentences about passwords that hold none."""

import pytest

from detector_parts import Find

TOLD = (
    "Das Passwort lautet {}",
    "Das Passwort für den Server ist „{}“.",
    "Kennwort (Testsystem): {}",
    "Le mot de passe est {}",
    "le mot de passe du wifi : {}",
    "La contraseña del servidor es {}",
    "A senha é {}",
    "La password del wifi è {}",
    "Het wachtwoord is {}",
    "Hasło to {}",
    "hasło do serwera: {}",
    "Heslo je {}",
    "Lösenordet är {}",
    "Adgangskoden er {}",
    "Salasana on {}",
    "A jelszó a következő: {}",
    "Şifrem: {}",
    "Пароль от почты — {}",
    "Ο κωδικός είναι {}",
    "Mật khẩu là {}",
    "Kata sandi untuk server adalah {}",
    "पासवर्ड: {}",
    "كلمة المرور هي {}",
    "הסיסמה היא {}",
    "密码是{}。",
    "密碼為 {}",
    "パスワードは「{}」です。",
    "비밀번호는 {} 입니다",
    "The password for the staging server is {}",
    "My password is: {}",
    "Das  Passwort   lautet    {}",
    "Das Passwort lautet »{}«",
    "Das Passwort lautet ({})",
    "Das Passwort lautet -> {}",
    "Le mot de passe est « {} »",
    "mot_de_passe: {}",
    "パスワードは『{}』です",
    '{{"passwort": "{}"}}',
    '{{"text": "{{\\"contraseña\\": \\"{}\\"}}"}}',
    "'senha' => '{}'",
    "Mi clave es {}",
    "Das Passwort lautet\n{}",
    "La contraseña es:\n\n{}",
    "The password is\r\n{}",
    "The password for the staging server is: \n  {}",
    "Das Passwort lautet <b>{}</b>",
    "The password is <code>{}</code>.",
)


@pytest.mark.parametrize("sentence", TOLD)
@pytest.mark.parametrize("password", ["Sommer2024", "Xk9-vQ2m!", "blau#kraut"])
def test_what_a_sentence_tells_is_found_once(find: Find, sentence: str, password: str) -> None:
    (kind, found), *rest = find(sentence.format(password))
    assert (kind, found.rstrip("."), rest) == ("secret.password", password, [])


@pytest.mark.parametrize(
    "text",
    [
        "Das Passwort ist falsch.",
        "Das Passwort ist abgelaufen!",
        "Das Passwort ist SHA256-gehasht.",
        "Das Passwort ist 12-stellig und 30-tägig gültig.",
        "Das Passwort für OAuth2 ist optional.",
        "Le mot de passe est requis&nbsp;: voir plus bas",
        "Le mot de passe est obligatoire depuis 2024-05-01T10:00",
        "La contraseña es incorrecta",
        "A senha é obrigatória.",
        "La password è scaduta",
        "Het wachtwoord is base64-gecodeerd",
        "hasło jest wymagane",
        "Пароль - обязательное поле",
        "密码是必填项",
        "パスワードは8文字以上です",
        "비밀번호는 8자 이상입니다",
        "password last changed: 2024-05-01T10:00",
        "The password for MySQL is PostgreSQL-like",
        "The password for the user is ann@mail.example",
        "Das Passwort lautet Password123",
        "mot de passe: $MOT_DE_PASSE",
        "Das Passwort ist 2FA-geschützt.",
        "Das Passwort ist IPv6-kompatibel.",
        "密码是Base64Encoded2的",
        "密码是MySQL8.0默认的",
        "パスワードはAes256Gcmで暗号化",
        "비밀번호는 bcrypt2b로 저장",
        "senha: Argon2id",
        "passwort: VARCHAR2",
        "contraseña: varchar255 not null",
        "contraseña = self.contraseña_2",
        "密码 = user.password1",
        "La clave es no rendirse nunca.",
        "Mi clave es la constancia",
        "The password is\nwrong again",
        "Das Passwort ist <b>falsch</b>.",
    ],
)
def test_sentences_about_passwords_hold_none(find: Find, text: str) -> None:
    assert "secret.password" not in dict(find(text))


@pytest.mark.parametrize("text", ["password: {}", "the password is {}", "passphrase = {}"])
def test_what_names_and_signs_say_is_not_said_again(find: Find, text: str) -> None:
    assert find(text.format("Xk9vQ2mmT4")) == [("secret.password", "Xk9vQ2mmT4")]
