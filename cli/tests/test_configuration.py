"""Where the portal is, and whose token goes where."""

import json
from pathlib import Path

import pytest
from chronicle_cli.configuration import find_connection
from chronicle_cli.errors import CliError, Unreachable

HERE, ELSEWHERE = "http://127.0.0.1:8000", "https://chronicle.example.org"


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A folder whose stack has told the command where it is."""
    (tmp_path / ".chronicle").mkdir()
    said = json.dumps({"url": HERE, "token": "chr_here"})
    (tmp_path / ".chronicle" / "cli.json").write_text(said)
    return tmp_path


class TestConnection:
    def test_comes_from_the_environment_first(self, stack: Path):
        environ = {"CHRONICLE_URL": ELSEWHERE + "/", "CHRONICLE_TOKEN": "chr_x"}
        found = find_connection(environ, stack)
        assert (found.url, found.token) == (ELSEWHERE, "chr_x")

    def test_comes_from_the_stack_of_a_folder_above(self, stack: Path):
        below = stack / "a" / "b"
        below.mkdir(parents=True)
        found = find_connection({}, below)
        assert (found.url, found.token) == (HERE, "chr_here")

    def test_comes_from_the_home_that_is_named_and_no_other(self, stack: Path, tmp_path: Path):
        assert find_connection({"CHRONICLE_HOME": str(stack / ".chronicle")}, Path("/")).url == HERE
        with pytest.raises(Unreachable):
            find_connection({"CHRONICLE_HOME": str(tmp_path / "other")}, stack)

    def test_never_sends_a_token_to_another_portal(self, stack: Path):
        assert find_connection({"CHRONICLE_URL": ELSEWHERE}, stack).token is None
        assert find_connection({"CHRONICLE_URL": HERE + "/"}, stack).token == "chr_here"

    def test_does_not_show_the_token(self, stack: Path):
        assert "chr_here" not in repr(find_connection({}, stack))

    def test_says_what_to_do_where_no_portal_is_known(self, tmp_path: Path):
        with pytest.raises(Unreachable) as caught:
            find_connection({"CHRONICLE_HOME": str(tmp_path)}, tmp_path)
        assert "make up" in caught.value.remedy

    @pytest.mark.parametrize("url", ["chronicle.example.org", "ftp://x", "http://", "http://x:a"])
    def test_refuses_what_is_no_address(self, url: str, tmp_path: Path):
        with pytest.raises(Unreachable, match="not the address of a portal"):
            find_connection({"CHRONICLE_URL": url}, tmp_path)

    @pytest.mark.parametrize("token", ["a b", "a\nb", "ä"])
    def test_refuses_what_is_no_token(self, token: str, tmp_path: Path):
        with pytest.raises(CliError, match="token"):
            find_connection({"CHRONICLE_URL": HERE, "CHRONICLE_TOKEN": token}, tmp_path)

    @pytest.mark.parametrize("content", ["", "[]", '{"url": "http://x"}', "\x00"])
    def test_says_that_the_file_is_damaged(self, content: str, stack: Path):
        (stack / ".chronicle" / "cli.json").write_text(content)
        with pytest.raises(Unreachable, match="damaged"):
            find_connection({}, stack)
