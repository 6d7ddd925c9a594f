"""One behaviour, on each vault."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from chronicle_vault import (
    BadSecretName,
    KeptSecret,
    SecretMissing,
    SecretTooLarge,
    VaultSettings,
    VaultUnreachable,
    open_vault,
)
from chronicle_vault.folder import FolderVault
from chronicle_vault.ports import LARGEST
from chronicle_vault.secrets_manager import SecretsManagerVault

from tests.fixtures.aws import free_port

SECRET = b'{"cookies": "a=1"}'


@pytest.fixture(params=["folder", "aws"])
def vault(request, tmp_path, monkeypatch):
    if request.param == "folder":
        return open_vault(VaultSettings(home=tmp_path))
    for name, value in request.getfixturevalue("aws").env.items():
        monkeypatch.setenv(name, value)
    return open_vault(VaultSettings(vault="aws", prefix=f"t{uuid4().hex[:8]}"))


def names(vault):
    return sorted(one.name for one in vault.kept())


class TestVault:
    def test_gives_back_what_was_put_into_it(self, vault):
        vault.put("concert.1f", SECRET)
        assert vault.get("concert.1f") == SECRET

    def test_keeps_any_bytes(self, vault):
        every = bytes(range(256))
        vault.put("bytes", every)
        assert vault.get("bytes") == every

    def test_replaces(self, vault):
        vault.put("concert", SECRET)
        vault.put("concert", b"other")
        assert vault.get("concert") == b"other"
        assert names(vault) == ["concert"]

    def test_says_that_it_has_none(self, vault):
        with pytest.raises(SecretMissing, match="nowhere"):
            vault.get("nowhere")
        assert vault.delete("nowhere") is False
        assert names(vault) == []

    def test_deletes_for_good(self, vault):
        vault.put("concert", SECRET)
        assert vault.delete("concert") is True
        with pytest.raises(SecretMissing):
            vault.get("concert")
        assert names(vault) == []
        vault.put("concert", b"anew")
        assert vault.get("concert") == b"anew"

    def test_tells_since_when_it_keeps_what(self, vault):
        before = datetime.now(UTC) - timedelta(seconds=2)
        vault.put("one", SECRET)
        vault.put("two", SECRET)
        assert names(vault) == ["one", "two"]
        assert all(before < one.kept_at <= datetime.now(UTC) for one in vault.kept())

    @pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "a\n", "x" * 129])
    def test_refuses_a_bad_name(self, vault, name):
        for act in (vault.get, vault.delete, lambda bad: vault.put(bad, SECRET)):
            with pytest.raises(BadSecretName):
                act(name)

    def test_refuses_what_no_vault_keeps(self, vault):
        with pytest.raises(SecretTooLarge) as refusal:
            vault.put("concert", b"x" * (LARGEST + 1))
        assert "xx" not in str(refusal.value)
        vault.put("concert", b"x" * LARGEST)


class TestFolder:
    def test_is_nobody_elses_business(self, tmp_path):
        FolderVault(tmp_path / "vault").put("concert", SECRET)
        folder = tmp_path / "vault"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "concert").stat().st_mode) == 0o600

    def test_is_closed_to_others_where_it_was_open(self, tmp_path):
        (tmp_path / "vault").mkdir(mode=0o755)
        FolderVault(tmp_path / "vault").put("concert", SECRET)
        assert stat.S_IMODE((tmp_path / "vault").stat().st_mode) == 0o700

    def test_holds_the_secret_and_no_draft_of_it(self, tmp_path):
        FolderVault(tmp_path).put("concert", SECRET)
        assert [path.name for path in tmp_path.iterdir()] == ["concert"]

    def test_names_no_draft(self, tmp_path):
        (tmp_path / ".concert.12ab").write_bytes(b"half")
        assert list(FolderVault(tmp_path).kept()) == []

    def test_that_cannot_be_made_is_said_without_the_secret(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(VaultUnreachable) as trouble:
            FolderVault(tmp_path / "file" / "vault").put("concert", SECRET)
        assert "cookies" not in str(trouble.value)


class TestSecretsManager:
    def test_that_does_not_answer_is_unreachable(self, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        endpoint = f"http://127.0.0.1:{free_port()}"
        vault = SecretsManagerVault(prefix="p", region="us-east-1", endpoint=endpoint)
        with pytest.raises(VaultUnreachable):
            vault.get("concert")

    def test_lists_the_secrets_of_its_own_prefix_alone(self, aws, monkeypatch):
        for name, value in aws.env.items():
            monkeypatch.setenv(name, value)
        mine, other = (f"t{uuid4().hex[:8]}" for _ in range(2))
        open_vault(VaultSettings(vault="aws", prefix=other)).put("theirs", SECRET)
        vault = open_vault(VaultSettings(vault="aws", prefix=mine))
        vault.put("ours", SECRET)
        (kept,) = vault.kept()
        assert isinstance(kept, KeptSecret)
        assert kept.name == "ours"
