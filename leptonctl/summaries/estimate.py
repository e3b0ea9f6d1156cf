"""Estimates in a result: what the locations on AWS cost, draw and emit, as JSON and as lines of text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leptonctl.planning.estimate import HOURS_PER_MONTH, PUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from leptonctl.planning.estimate import Estimate, PowerRange

_CENTS, _TENTH_CENTS = 2, 4


def estimate_data(found: Iterable[Estimate]) -> dict[str, Any] | None:
    """Every location's estimate and their sums, as JSON; None where there is no location on AWS.

    Sums are of what is known; `unpriced` and `unmeasured` name what is left out.
    """
    estimates = tuple(found)
    if not estimates:
        return None
    hourly = sum(one.usd_per_hour for one in estimates)
    return {
        "currency": "USD",
        "hours_per_month": HOURS_PER_MONTH,
        "pue": PUE,
        "usd_per_hour": round(hourly, _TENTH_CENTS),
        "usd_per_month": round(hourly * HOURS_PER_MONTH, _CENTS),
        "locations": [_location(one) for one in estimates],
    }


def _location(one: Estimate) -> dict[str, Any]:
    carbon = one.kg_co2e_per_month
    return {
        "location": one.location,
        "region": one.region,
        "usd_per_hour": round(one.usd_per_hour, _TENTH_CENTS),
        "usd_per_month": round(one.usd_per_month, _CENTS),
        "machines": [
            {
                "type": part.machine_type,
                "count": part.count,
                "usd_per_hour_each": part.price.usd_per_hour,
                "as_of": part.price.as_of,
                "source": part.price.source,
            }
            for part in one.machines
        ],
        "unpriced": list(one.unpriced),
        "watts": _rounded(one.power),
        "unmeasured": list(one.unmeasured),
        "kg_co2e_per_month": None if carbon is None else [round(carbon[0], 1), round(carbon[1], 1)],
        "g_co2e_per_kwh": one.carbon.g_per_kwh if one.carbon else None,
        "carbon_basis": one.carbon.basis if one.carbon else None,
    }


def _rounded(power: PowerRange | None) -> list[int] | None:
    return None if power is None else [round(power.idle_w), round(power.busy_w)]


def estimate_lines(data: Mapping[str, Any]) -> Iterator[str]:
    """The same as text, from its JSON."""
    sources = sorted({f"{part['source']} of {part['as_of']}" for one in data["locations"] for part in one["machines"]})
    whence = ", ".join(sources) or "none here"
    yield f"cost of what has a known price ({whence}; on demand, {HOURS_PER_MONTH} h a month)"
    for one in data["locations"]:
        yield f"  {one['location']:<20} {_money(one)}"
        for part in one["machines"]:
            yield f"    {part['count']} {part['type']} at {part['usd_per_hour_each']} USD/h"
        for left_out in one["unpriced"]:
            yield f"    not known: {left_out}"
    yield f"  {'all of them':<20} {_money(data)}"
    yield f"power and carbon of the machines, idle to busy (overhead {data['pue']})"
    for one in data["locations"]:
        yield f"  {one['location']:<20} {_power(one)}"
        for left_out in one["unmeasured"]:
            yield f"    not known: {left_out}"


def _money(sums: Mapping[str, Any]) -> str:
    return f"{sums['usd_per_hour']:,.2f} USD/h, {sums['usd_per_month']:,.2f} USD/month"


def _power(one: Mapping[str, Any]) -> str:
    if one["watts"] is None:
        return "not known"
    low, high = one["watts"]
    least = "at least " if one["unmeasured"] else ""
    carbon = one["kg_co2e_per_month"]
    if carbon is None:
        return f"{least}{low:,} to {high:,} W; carbon not known for {one['region']}"
    basis = f"{one['g_co2e_per_kwh']} g/kWh: {one['carbon_basis']}"
    return f"{least}{low:,} to {high:,} W; {least}{carbon[0]:,} to {carbon[1]:,} kg CO2e/month ({basis})"
