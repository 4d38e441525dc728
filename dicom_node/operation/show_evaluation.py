"""What `dicom-node evaluate` found, for people: a table for each subset, and how far it is over its baselines."""

from typing import Any

from rich.console import Console
from rich.table import Table


def show_evaluation(console: Console, told: dict[str, Any]) -> None:
    """The figures for people: one table a subset."""
    for figures in (told, *([told["against"]] if "against" in told else [])):
        console.print(f"{figures['bundle']}  {figures['digest'][:12]}", style="bold", markup=False)
        alone = len(figures["subsets"]) == 2  # one folder, and the same again as "all"
        for subset in figures["subsets"][:1] if alone else figures["subsets"]:
            console.print(_heading(subset), markup=False, soft_wrap=True)
            if subset["metrics"]:
                console.print(_table(subset))
            for metric, gains in subset.get("over_baselines", {}).items():
                for baseline, gain in gains.items():
                    console.print(_over(metric, baseline, gain), markup=False, soft_wrap=True)
            for name, test in subset.get("differences", {}).items():
                console.print(_in_words(name, test), markup=False, soft_wrap=True)


def _heading(subset: dict[str, Any]) -> str:
    if "n_training" in subset:
        return _of_studies(subset)
    if "n_images" in subset:
        asked, pictures = (
            f"{subset['n_closed']} closed, {subset['n_open']} open",
            _plural(subset["n_images"], "picture"),
        )
        return f"\n{subset['name']}: {_plural(subset['n_cases'], 'question')} ({asked}) about {pictures}"
    cases, patients = _plural(subset["n_cases"], "case"), _plural(subset["n_patients"], "patient")
    counted = f"\n{subset['name']}: {cases} of {patients}"
    left = f", {subset['n_abstained']} abstained from" if subset["n_abstained"] else ""
    mixed = "; several sources: beside image_auroc see image_auroc_by_source" if subset["mixes_sources"] else ""
    return counted + left + mixed


def _of_studies(subset: dict[str, Any]) -> str:
    asked = _plural(subset["n_closed"] + subset["n_open"], "question")
    counted = f"{_plural(subset['n_cases'], 'study', 'studies')} of {_plural(subset['n_patients'], 'patient')}"
    parts = f"{asked} ({subset['n_closed']} closed, {subset['n_open']} open), {_plural(subset['n_reports'], 'report')}"
    left = f", {subset['n_abstained']} abstained from" if subset["n_abstained"] else ""
    learnt = (
        _plural(subset["n_training"], "other study", "other studies") if subset["n_training"] else "these themselves"
    )
    unread = f"; {subset['n_green_unread']} answers of the judge unread" if subset.get("n_green_unread") else ""
    return f"\n{subset['name']}: {counted}{left}; {parts}; majority and frequent template from {learnt}{unread}"


def _table(subset: dict[str, Any]) -> Table:
    table = Table("figure", "value", "95 % interval", box=None, header_style="bold")
    for name, figure in subset["metrics"].items():
        ends = figure["ci95"]
        table.add_row(name, f"{figure['value']:.4f}", f"{ends[0]:.4f} to {ends[1]:.4f}" if ends else "")
    for name, value in subset["baselines"].items():
        table.add_row(name, f"{value:.4f}", "baseline", style="dim")
    return table


def _in_words(name: str, test: dict[str, Any]) -> str:
    t = "" if test["t"] is None else f"t = {test['t']:.2f}, "
    tests = f"{t}p = {test['p']:.3g}, Wilcoxon p = {test['wilcoxon_p']:.3g}"
    return f"  {name}: the first bundle's minus this one's is {test['mean']:+.4f} over {test['n']} patients ({tests})"


def _over(metric: str, baseline: str, gain: dict[str, Any]) -> str:
    low, high = gain["ci95"]
    return (
        f"  {metric} over {baseline}: {gain['mean']:+.4f} ({low:+.4f} to {high:+.4f}) over {gain['n']}, "
        f"bootstrap p = {gain['bootstrap_p']:.3g}, t p = {gain['p']:.3g}"
    )


def _plural(count: int, noun: str, several: str | None = None) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {several or noun + 's'}"
