"""A resource type of the double: how it is created, read, changed and deleted, and what can't be changed in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

from tests.engine.double.cloud import camel, pascal, pascal_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.engine.double.cloud import Cloud

Inputs = dict[str, Any]


def is_gone(error: ClientError) -> bool:
    """Whether an error says that the thing does not exist."""
    code = str(error.response["Error"]["Code"])
    marks = ("NotFound", "NoSuch", "Malformed", "DoesNotExist")
    return code == "404" or any(mark in code for mark in marks)


class HalfMadeError(Exception):
    """A thing is there, under this id, and what had to follow its first call failed."""


class Kind:
    """One resource type. What a subclass does not say is done not at all."""

    replaces: ClassVar[frozenset[str]] = frozenset()
    ignored: ClassVar[frozenset[str]] = frozenset()
    autonamed: ClassVar[Mapping[str, int]] = {}
    is_deleted_before_replaced: ClassVar[bool] = False
    partly: ClassVar[frozenset[str]] = frozenset()
    """Inputs that are mappings, and come back with more in them than was given."""

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        """Make it and return its id."""
        raise NotImplementedError

    def read(self, cloud: Cloud, made: str, inputs: Inputs) -> Inputs | None:
        """What is there, in the form of its inputs and outputs; None where it is gone."""
        raise NotImplementedError

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        """Change it in place."""
        raise NotImplementedError

    def delete(self, cloud: Cloud, made: str, olds: Inputs) -> None:
        """Remove it."""
        raise NotImplementedError

    def importable(self, there: Inputs) -> Inputs:
        """The inputs that an import would have had."""
        return {"tags": there.get("tags", {})}


class Ec2(Kind):
    """A type of EC2 whose calls follow from its noun: create_vpc, describe_vpcs, VpcIds, Vpcs, delete_vpc, VpcId."""

    noun: ClassVar[str]
    plural: ClassVar[str] = ""
    fields: ClassVar[tuple[str, ...]] = ()
    renamed: ClassVar[Mapping[str, str]] = {}
    """Where the API's word is not the field's own: field -> word of the API."""
    arn_noun: ClassVar[str] = ""

    @property
    def _word(self) -> str:
        return "".join(part.capitalize() for part in self.noun.split("_"))

    @property
    def _words(self) -> str:
        return self.plural or f"{self._word}s"

    @property
    def _id(self) -> str:
        return f"{self._word}Id"

    def arguments(self, cloud: Cloud, inputs: Inputs) -> dict[str, Any]:
        """The arguments of the create call."""
        noun = (self.arn_noun or self.noun).replace("_", "-")
        found = {
            self.renamed.get(name, pascal(name)): pascal_all(inputs[name])
            for name in self.fields
            if inputs.get(name) is not None
        }
        return {**found, **cloud.specified(noun, inputs)}

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        answer = getattr(cloud.client("ec2"), f"create_{self.noun}")(**self.arguments(cloud, inputs))
        made = str(answer.get(self._word, answer)[self._id])
        try:
            self.settle(cloud, made, inputs)
        except ClientError as error:
            raise HalfMadeError(made) from error
        return made

    def settle(self, cloud: Cloud, made: str, inputs: Inputs) -> None:
        """What takes more calls than the first."""

    def read(self, cloud: Cloud, made: str, inputs: Inputs) -> Inputs | None:
        snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in camel(self._words))
        describe = getattr(cloud.client("ec2"), f"describe_{snake}")
        found = forgiving(lambda: describe(**{f"{self._id}s": [made]})[self._words])
        if not found or self.is_terminal(found[0]):
            return None
        there = self.outputs(cloud, made, found[0])
        return {**there, **self.more(cloud, made, inputs)}

    def is_terminal(self, _there: Mapping[str, Any]) -> bool:
        """Whether the answer describes something that is gone."""
        return False

    def outputs(self, cloud: Cloud, made: str, there: Mapping[str, Any]) -> Inputs:
        """Every plain property of the answer, under Pulumi's words."""
        back = {word: name for name, word in self.renamed.items()}
        plain = {
            back.get(word, camel(word)): value
            for word, value in there.items()
            if isinstance(value, str | int | float) or (isinstance(value, list) and word in back)
        }
        noun = (self.arn_noun or self.noun).replace("_", "-")
        tags = cloud.own_tags(there.get("Tags"))
        all_tags = {**cloud.default_tags, **tags}
        return {**plain, "arn": cloud.arn("ec2", f"{noun}/{made}"), "tags": tags, "tagsAll": all_tags}

    def more(self, _cloud: Cloud, _made: str, _inputs: Inputs) -> Inputs:
        """Properties that take another call."""
        return {}

    def update(self, cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
        retag(cloud, made, olds, news)
        self.settle(cloud, made, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: getattr(cloud.client("ec2"), f"delete_{self.noun}")(**{self._id: made}))


def retag(cloud: Cloud, made: str, olds: Inputs, news: Inputs) -> None:
    """Give a thing of EC2 its new tags, and take those that went."""
    old, new = cloud.tags(olds), cloud.tags(news)
    if gone := [{"Key": key} for key in old.keys() - new.keys()]:
        cloud.client("ec2").delete_tags(Resources=[made], Tags=gone)
    if new:
        cloud.client("ec2").create_tags(Resources=[made], Tags=cloud.tag_list(news))


def forgiving(call: Callable[[], Any]) -> Any:
    """What the call gives; None where it says that there is no such thing (any more), which is no error."""
    try:
        return call()
    except ClientError as error:
        if is_gone(error):
            return None
        raise
