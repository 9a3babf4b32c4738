"""Settings are refused rather than guessed, with a hint and without showing a secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from treasury import environment
from treasury.environment import Environment, EnvironmentRefusedError

ROOT = Path(__file__).resolve().parents[2]


def test_an_unknown_setting_stops_the_start_and_the_known_ones_are_listed() -> None:
    with pytest.raises(EnvironmentRefusedError, match=r"ZHILIAN_HOST is not a setting.*ZHILIAN_HOSTS"):
        Environment({"ZHILIAN_HOST": "a"})
    Environment({"HOME": "/", "ZHILIAN_HOSTS": "a.example.com"})


def test_the_process_itself_does_not_start() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {"ZHILIAN_WORKERS": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Zhilian did not start. ZHILIAN_WORKERS='many': it is a whole number from 1 to 64" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZHILIAN_DEBUG", "true"),
        ("ZHILIAN_WORKERS", "0"),
        ("ZHILIAN_WORKERS", "2.5"),
        ("ZHILIAN_HOSTS", "https://cash.example.com"),
        ("ZHILIAN_HOSTS", "*"),
        ("ZHILIAN_HOSTS", "cash.example.com:8000"),
        ("ZHILIAN_TIME_ZONE", "Asia/Peking"),
        ("ZHILIAN_TIME_ZONE", "../etc/passwd"),
    ],
)
def test_a_malformed_value_is_refused_with_an_example(name: str, value: str) -> None:
    settings = Environment({name: value})
    read = {
        "ZHILIAN_DEBUG": lambda: settings.yes(name, default=False),
        "ZHILIAN_WORKERS": lambda: settings.number(name, default=2, least=1, most=64),
        "ZHILIAN_HOSTS": lambda: settings.hosts(name, default=()),
        "ZHILIAN_TIME_ZONE": lambda: settings.time_zone(name, default="Asia/Shanghai"),
    }
    with pytest.raises(EnvironmentRefusedError, match=f"{name}=.*For example: "):
        read[name]()


def test_secrets_are_checked_and_never_shown() -> None:
    good, bad = Fernet.generate_key().decode(), "hunter2-hunter2"
    assert Environment({"ZHILIAN_MASTER_KEYS": f"{good}, {good}"}).keys("ZHILIAN_MASTER_KEYS") == [good] * 2
    with pytest.raises(EnvironmentRefusedError, match="key 2 of 2 is not 32 bytes") as refused:
        Environment({"ZHILIAN_MASTER_KEYS": f"{good},{bad}"}).keys("ZHILIAN_MASTER_KEYS")
    assert bad not in str(refused.value)
    with pytest.raises(EnvironmentRefusedError, match="15 characters; it needs 50") as refused:
        Environment({"ZHILIAN_SECRET_KEY": bad}).secret("ZHILIAN_SECRET_KEY", least=50)
    assert bad not in str(refused.value)


def test_a_value_may_come_from_a_file_but_not_from_both(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgres://u:p@db/cash\n")
    from_file = {"DATABASE_URL_FILE": str(tmp_path / "url")}
    assert Environment(from_file).text("DATABASE_URL") == "postgres://u:p@db/cash"
    with pytest.raises(EnvironmentRefusedError, match="Keep one"):
        Environment(from_file | {"DATABASE_URL": "postgres://x/y"}).text("DATABASE_URL")
    with pytest.raises(EnvironmentRefusedError, match="cannot be read"):
        Environment({"DATABASE_URL_FILE": str(tmp_path / "gone")}).text("DATABASE_URL")


def test_a_database_address_is_taken_apart_and_a_wrong_one_shows_no_password() -> None:
    settings = Environment({})
    found = environment.database("postgres://u%40x:p%2Fw@db:5433/cash?sslmode=require", settings)
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == ("u@x", "p/w", "db", "5433")
    assert found["OPTIONS"] == {"sslmode": "require"}
    socket = environment.database("postgresql://postgres@/cash?host=/run/pg", settings)
    assert (socket["HOST"], socket["PORT"]) == ("/run/pg", "")
    for wrong in ("mysql://u:s3cret@db/x", "postgres://u:s3cret@db", "postgres://u:s3cret@db/x?tls=1"):
        with pytest.raises(EnvironmentRefusedError) as refused:
            environment.database(wrong, settings)
        assert "s3cret" not in str(refused.value)


def test_broker_and_mail_addresses() -> None:
    settings = Environment({})
    assert environment.redis("", settings) == ""
    assert environment.redis("rediss://:pw@r/0", settings) == "rediss://:pw@r/0"
    with pytest.raises(EnvironmentRefusedError, match="carried by Redis") as refused:
        environment.redis("amqp://u:s3cret@r", settings)
    assert "s3cret" not in str(refused.value)
    mail = environment.mail("smtp://u:p%40@mail", settings)
    assert (mail.host, mail.port, mail.password, mail.tls, mail.ssl) == ("mail", 587, "p@", True, False)
    assert environment.mail("smtps://mail", settings).port == 465
    for wrong in ("http://mail", "smtp://", "smtp://mail:x"):
        with pytest.raises(EnvironmentRefusedError, match="ZHILIAN_EMAIL_URL"):
            environment.mail(wrong, settings)
