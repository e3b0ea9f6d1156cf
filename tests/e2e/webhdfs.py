"""A client of HDFS from outside: WebHDFS over plain HTTP, with nothing of Hadoop."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

USER = "hdfs"
REDIRECTED = 307
TRIES = 4


class Unfinished(OSError):
    """The cluster said that a write failed."""


class WebHdfs:
    """One name node."""

    def __init__(self, url: str) -> None:
        self.url = url

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Write a file; it is there as a whole where this returns."""
        where = urllib.parse.urlsplit(self._redirected("PUT", path, op="CREATE", overwrite="true"))
        connection = http.client.HTTPConnection(where.netloc, timeout=180)
        try:
            connection.request("PUT", f"{where.path}?{where.query}", body=content, encode_chunked=True)
            answer = connection.getresponse()
            said = answer.read()
        except OSError as error:
            raise Unfinished(str(error)) from None
        finally:
            connection.close()
        if answer.status != http.client.CREATED:
            raise Unfinished(f"{answer.status} {said.decode(errors='replace')[:300]}")

    def read(self, path: str) -> bytes:
        """A file as a whole. A data node that does not answer is named to the name node, which then gives another.

        An answer that breaks off is shorter than it says of itself: no client may take it for the file.
        """
        dead: list[str] = []
        for _ in range(TRIES):
            more = {"excludedatanodes": ",".join(dead)} if dead else {}
            where = self._redirected("GET", path, op="OPEN", **more)
            try:
                with urllib.request.urlopen(where, timeout=60) as answer:  # noqa: S310 - our own host
                    return bytes(answer.read())
            except urllib.error.HTTPError:
                raise
            except http.client.IncompleteRead:
                continue
            except OSError:
                # By its address alone: with a port, that of its blocks is meant and not the one of HTTP.
                dead.append(str(urllib.parse.urlsplit(where).hostname))
        message = f"{path} could not be read past {dead}"
        raise AssertionError(message)

    def holders(self, path: str) -> set[str]:
        """The addresses of the data nodes that have a block of the file."""
        found = self._json("GET", path, op="GETFILEBLOCKLOCATIONS")["BlockLocations"]["BlockLocation"]
        return {name.partition(":")[0] for one in found for name in one["names"]}

    def status(self, path: str) -> dict[str, Any]:
        """What the name node knows of it."""
        found: dict[str, Any] = self._json("GET", path, op="GETFILESTATUS")["FileStatus"]
        return found

    def exists(self, path: str) -> bool:
        try:
            self.status(path)
        except urllib.error.HTTPError as error:
            if error.code == http.client.NOT_FOUND:
                return False
            raise
        return True

    def figure(self, bean: str, name: str) -> Any:
        """One of the name node's own figures."""
        url = f"{self.url}/jmx?qry=Hadoop:service=NameNode,name={bean}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own host
            return json.loads(answer.read())["beans"][0][name]

    def nodes(self) -> dict[str, dict[str, Any]]:
        """The data nodes that answer."""
        found: dict[str, dict[str, Any]] = json.loads(self.figure("NameNodeInfo", "LiveNodes"))
        return found

    def is_ready(self) -> bool:
        """Whether it takes changes."""
        return bool(self.figure("NameNodeInfo", "Safemode") == "")

    def _url(self, path: str, **query: str) -> str:
        return f"{self.url}/webhdfs/v1{urllib.parse.quote(path)}?{urllib.parse.urlencode({'user.name': USER, **query})}"

    def _json(self, method: str, path: str, **query: str) -> dict[str, Any]:
        request = urllib.request.Request(self._url(path, **query), method=method)  # noqa: S310 - our own host
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own host
            found: dict[str, Any] = json.loads(answer.read())
            return found

    def _redirected(self, method: str, path: str, **query: str) -> str:
        """Where the name node sends one who wants the content."""
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            request = urllib.request.Request(self._url(path, **query), method=method)  # noqa: S310 - our own host
            opener.open(request, timeout=60)
        except urllib.error.HTTPError as answer:
            if answer.code == REDIRECTED:
                return str(answer.headers["Location"])
            raise
        message = f"{path}: the name node did not redirect"
        raise AssertionError(message)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None
