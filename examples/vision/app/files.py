"""HDFS by its public API, WebHDFS: plain HTTP, and nothing of Hadoop on the client."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request

USER = "hdfs"
REDIRECT = 307
LIMIT_S = 120


class Files:
    """The files of one name node. A data node that does not answer is named to it, and another one is given."""

    def __init__(self, url: str) -> None:
        self.url = url

    def write(self, path: str, content: bytes) -> None:
        """Write a file; it is there as a whole where this returns. Raises OSError."""
        where = urllib.parse.urlsplit(self._redirected("PUT", path, op="CREATE", overwrite="true"))
        connection = http.client.HTTPConnection(where.netloc, timeout=LIMIT_S)
        try:
            connection.request("PUT", f"{where.path}?{where.query}", body=content)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.CREATED:
            message = f"{path}: {answer.status} {said.decode(errors='replace')[:200]}"
            raise OSError(message)

    def read(self, path: str) -> bytes:
        """A file as a whole. Raises OSError where no data node gives it."""
        dead: list[str] = []
        while True:
            where = self._redirected("GET", path, op="OPEN", **({"excludedatanodes": ",".join(dead)} if dead else {}))
            try:
                with urllib.request.urlopen(where, timeout=LIMIT_S) as answer:  # noqa: S310 - where our name node sends us
                    return bytes(answer.read())
            except urllib.error.HTTPError:
                raise
            except OSError:
                netloc = urllib.parse.urlsplit(where).netloc
                if netloc in dead:
                    raise
                dead.append(netloc)

    def _redirected(self, method: str, path: str, **query: str) -> str:
        words = urllib.parse.urlencode({"user.name": USER, **query})
        where = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(where.netloc, timeout=LIMIT_S)
        try:
            connection.request(method, f"/webhdfs/v1{urllib.parse.quote(path)}?{words}")
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status != REDIRECT:
            message = f"{path}: {answer.status} {said.decode(errors='replace')[:200]}"
            raise OSError(message)
        return str(answer.headers["Location"])
