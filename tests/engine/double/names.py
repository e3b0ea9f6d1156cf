"""The double's DNS types: private zones, their records, and the networks that see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.engine.double.kind import Inputs, Kind, forgiving

if TYPE_CHECKING:
    from tests.engine.double.cloud import Cloud


class Zone(Kind):
    replaces = frozenset({"name"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        dns = cloud.client("route53")
        networks = inputs.get("vpcs") or []
        first = {"VPC": _vpc(cloud, networks[0])} if networks else {}
        answer = dns.create_hosted_zone(
            Name=inputs["name"],
            CallerReference=f"double-{inputs['name']}-{id(inputs)}",
            HostedZoneConfig={"Comment": inputs.get("comment") or "", "PrivateZone": bool(networks)},
            **first,
        )
        made = str(answer["HostedZone"]["Id"]).rpartition("/")[2]
        for network in networks[1:]:
            dns.associate_vpc_with_hosted_zone(HostedZoneId=made, VPC=_vpc(cloud, network))
        self._tag(cloud, made, inputs)
        return made

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        there = forgiving(lambda: cloud.client("route53").get_hosted_zone(Id=made))
        if not there:
            return None
        name = str(there["HostedZone"]["Name"]).removesuffix(".")
        return {"zoneId": made, "name": name, "arn": f"arn:aws:route53:::hostedzone/{made}"}

    def update(self, cloud: Cloud, made: str, _olds: Inputs, news: Inputs) -> None:
        self._tag(cloud, made, news)

    def delete(self, cloud: Cloud, made: str, _olds: Inputs) -> None:
        forgiving(lambda: cloud.client("route53").delete_hosted_zone(Id=made))

    def _tag(self, cloud: Cloud, made: str, inputs: Inputs) -> None:
        if tags := cloud.tag_list(inputs):
            cloud.client("route53").change_tags_for_resource(ResourceType="hostedzone", ResourceId=made, AddTags=tags)


class Record(Kind):
    replaces = frozenset({"zoneId", "name", "type"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        self._change(cloud, "UPSERT", inputs)
        return f"{inputs['zoneId']}_{inputs['name']}_{inputs['type']}"

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        zone, name, kind = made.split("_", 2)
        dns = cloud.client("route53")
        there = forgiving(lambda: dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"])
        found = [one for one in there or () if one["Name"].rstrip(".") == name.rstrip(".") and one["Type"] == kind]
        if not found:
            return None
        records = [one["Value"] for one in found[0]["ResourceRecords"]]
        return {"fqdn": name, "records": records, "ttl": found[0].get("TTL")}

    def update(self, cloud: Cloud, _made: str, _olds: Inputs, news: Inputs) -> None:
        self._change(cloud, "UPSERT", news)

    def delete(self, cloud: Cloud, _made: str, olds: Inputs) -> None:
        forgiving(lambda: self._change(cloud, "DELETE", olds))

    def _change(self, cloud: Cloud, action: str, inputs: Inputs) -> None:
        values = [{"Value": value} for value in inputs["records"]]
        record: dict[str, Any] = {"Name": inputs["name"], "Type": inputs["type"], "TTL": inputs["ttl"]}
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": {**record, "ResourceRecords": values}}]}
        cloud.client("route53").change_resource_record_sets(HostedZoneId=inputs["zoneId"], ChangeBatch=batch)


class ZoneAssociation(Kind):
    replaces = frozenset({"zoneId", "vpcId", "vpcRegion"})

    def create(self, cloud: Cloud, inputs: Inputs) -> str:
        dns = cloud.client("route53")
        dns.associate_vpc_with_hosted_zone(HostedZoneId=inputs["zoneId"], VPC=_vpc(cloud, inputs))
        return f"{inputs['zoneId']}:{inputs['vpcId']}"

    def read(self, cloud: Cloud, made: str, _inputs: Inputs) -> Inputs | None:
        zone, _, vpc = made.partition(":")
        there = forgiving(lambda: cloud.client("route53").get_hosted_zone(Id=zone)) or {}
        is_there = any(one["VPCId"] == vpc for one in there.get("VPCs", ()))
        return {"zoneId": zone, "vpcId": vpc} if is_there else None

    def delete(self, cloud: Cloud, made: str, olds: Inputs) -> None:
        zone, _, _vpc_id = made.partition(":")
        dns = cloud.client("route53")
        forgiving(lambda: dns.disassociate_vpc_from_hosted_zone(HostedZoneId=zone, VPC=_vpc(cloud, olds)))


def _vpc(cloud: Cloud, inputs: Inputs) -> dict[str, str]:
    return {"VPCId": inputs["vpcId"], "VPCRegion": inputs.get("vpcRegion") or cloud.region}
