"""What a host leaves for the exporter: verdicts, readings, errors of the driver, and what was not read."""

from __future__ import annotations

from dataclasses import replace

from leptonctl.health.judge import judge
from leptonctl.health.metrics import metrics_text
from leptonctl.health.policy import default_policy
from leptonctl.health.readings import HostReading, XidEvent
from tests.health.recorded import A100, NOW_S, ONE, edited, host

FINE = host(edited(A100, ("<persistence_mode>Disabled<", "<persistence_mode>Enabled<")))
BUS = "0000:01:00.0"


def samples(reading: HostReading) -> dict[str, str]:
    text = metrics_text(judge(reading, ONE, default_policy()), reading)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.rsplit(" ", 1) for line in lines)


def test_a_host_that_is_well_has_its_verdict_and_its_readings() -> None:
    found = samples(FINE)
    verdicts = {name: value for name, value in found.items() if name.startswith("lepton_gpu_health_verdict")}
    assert verdicts == {
        'lepton_gpu_health_verdict{verdict="healthy"}': "1",
        'lepton_gpu_health_verdict{verdict="degraded"}': "0",
        'lepton_gpu_health_verdict{verdict="unknown"}': "0",
        'lepton_gpu_health_verdict{verdict="failed"}': "0",
    }
    assert found[f'lepton_gpu_verdict{{gpu="{BUS}",serial="1650522003820",verdict="healthy"}}'] == "1"
    assert found[f'lepton_gpu_temperature_celsius{{gpu="{BUS}"}}'] == "27"
    assert found[f'lepton_gpu_ecc_uncorrectable{{gpu="{BUS}"}}'] == "0"
    assert found["lepton_gpu_health_collected_timestamp_seconds"] == "1700000000"
    assert not [name for name in found if "finding" in name or "unread" in name]


def test_errors_of_the_driver_are_counted_by_gpu_and_code() -> None:
    event = XidEvent(at_s=NOW_S - 60, bus_id=BUS, code=79, text="")
    found = samples(replace(FINE, xids=(event, event)))
    assert found[f'lepton_gpu_xid_events{{gpu="{BUS}",code="79"}}'] == "2"
    finding = f'lepton_gpu_health_finding{{check="Xid",gpu="{BUS}",verdict="failed",action="reboot the host"}}'
    assert found[finding] == "1"


def test_a_source_that_gave_no_answer_is_named_and_the_host_is_not_healthy() -> None:
    found = samples(replace(FINE, smi=None, unread={"nvidia-smi": 'exit 1: "quoted"\nand more'}))
    assert found['lepton_gpu_health_source_unread{source="nvidia-smi"}'] == "1"
    assert found['lepton_gpu_health_verdict{verdict="healthy"}'] == "0"


def test_every_metric_has_its_help_and_its_type_once() -> None:
    text = metrics_text(judge(FINE, ONE, default_policy()), FINE)
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
    assert names == [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert text.endswith("\n")
