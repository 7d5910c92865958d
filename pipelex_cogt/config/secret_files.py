"""Files that hold one secret each: those of the secrets directories, and those that a variable `NAME_FILE` names."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from pipelex_cogt.config.environ import Environ
from pipelex_cogt.config.references import UNSAFE_NAME
from pipelex_cogt.config.regular_files import UnfitFileError, read_file, with_home
from pipelex_cogt.errors import SecretFileError

MAX_SECRET_BYTES = 64 * 1024
FILE_SUFFIX = "_FILE"
"""What a variable ends in that names the file of a secret, as Docker's images have it."""


class SecretsDirectory:
    """A directory with one file per secret, as Docker and Kubernetes mount them."""

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory

    def get(self, name: str) -> str | None:
        """The text of the file of that name, `a/b` for one in a folder; None where there is no such file.

        Raises:
            SecretFileError: It leads out of the directory, is a directory, too large, unreadable or not UTF-8.
        """
        if self.directory is None or not name:
            return None
        if UNSAFE_NAME.search(name):
            raise SecretFileError(str(self.directory), f"{name!r} cannot name a secret's file")
        path = self.directory / name
        text, problem = _read_secret(path, self.directory)
        if problem is not None:
            raise SecretFileError(str(path), problem)
        return text

    def path_of(self, name: str) -> str:
        """Where the secret of that name lies."""
        return str((self.directory or Path()) / name)

    def names(self) -> list[str]:
        """The names of the secrets that lie here, those in folders left out, sorted."""
        # Who reads a message about a missing secret may do so when the directory has gone.
        with suppress(OSError):
            # What is no file is named too, so that reading it says what is wrong; folders and dangling links are not.
            found = self.directory.iterdir() if self.directory else ()
            return sorted(path.name for path in found if path.exists() and not path.is_dir())
        return []

    def names_below(self) -> list[str]:
        """The names of the secrets that lie in a folder of it, such as `a/b`, sorted."""
        # Kubernetes keeps what it mounts in folders that begin with two dots.
        with suppress(OSError):
            found = self.directory.glob("*/*") if self.directory else ()
            files = [path for path in found if path.is_file() and not path.parent.name.startswith("..")]
            return sorted(f"{path.parent.name}/{path.name}" for path in files)
        return []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.directory)!r})"


class NamedFiles:
    """The files that variables name: `NAME_FILE` holds the path of the file whose text is `NAME`.

    A path is relative to the working directory of the load.
    """

    def __init__(self, environ: Environ, working: Path | None = None) -> None:
        self.environ = environ
        self.working = working or Path()

    def get(self, name: str) -> str | None:
        """The text of the file that `NAME_FILE` names; None where that variable is unset.

        Raises:
            SecretFileError: There is no such file, or it is a directory, too large, unreadable or not UTF-8.
        """
        named = self.path_of(name)
        if not named:
            return None
        text, problem = _read_secret(self.working / with_home(named))
        if text is None:
            problem = problem or "expected a secret's file, found nothing"
            raise SecretFileError(named, f"{problem}; {name}{FILE_SUFFIX} names it")
        return text

    def path_of(self, name: str) -> str:
        """The path that `NAME_FILE` holds; empty where it is unset."""
        return (self.environ.get(name + FILE_SUFFIX) or "").strip()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _read_secret(path: Path, directory: Path | None = None) -> tuple[str | None, str | None]:
    """The text of a secret's file, or what is wrong with it. It raises nothing, so that no frame holds the text."""
    text = problem = None
    try:
        if directory and not path.resolve().is_relative_to(directory.resolve()):
            problem = "leads out of the secrets directory, so it is not read"
        else:
            # Without a byte order mark, and without the white space and line ends around it.
            text = read_file(path, MAX_SECRET_BYTES).decode("utf-8-sig").strip()
    except UnfitFileError as error:
        problem = f"expected a secret's file, found {error.found}"
    except (FileNotFoundError, NotADirectoryError):
        pass
    except UnicodeDecodeError:
        problem = "expected UTF-8 text"
    except ValueError:
        problem = "cannot be read: no path holds a NUL character"
    except (OSError, RuntimeError) as error:
        # A circle of links is a RuntimeError before Python 3.13.
        problem = f"cannot be read: {getattr(error, 'strerror', os.strerror(errno.ELOOP))}"
    return text, problem
