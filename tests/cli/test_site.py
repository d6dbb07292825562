"""The pages as HTML."""

from __future__ import annotations

from pathlib import Path

from openpy.cli.site import as_html, main


def test_every_page_becomes_html(root: Path, tmp_path: Path) -> None:
    assert main([str(root / "docs"), str(tmp_path)]) == 0
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.html")}
    pages = {
        str(path.relative_to(root / "docs").with_suffix(".html")) for path in (root / "docs").rglob("*.md")
    }
    assert made == pages
    assert '<span class="k">switch</span>' in (tmp_path / "editors.html").read_text()


def test_scripts_are_in_colour_and_other_code_if_it_is_known() -> None:
    page = as_html(
        "# A <page>\n\n```openser\nif (a()) exit;\n```\n\n```python\nif a: exit()\n```\n\n```\nif <b>\n```\n"
    )
    assert "<title>A &lt;page&gt;</title>" in page
    assert '<span class="k">exit</span>' in page
    assert '<span class="k">if</span> <span class="n">a</span>' in page
    assert "<pre><code>if &lt;b&gt;\n</code></pre>" in page
    assert "x &lt; y" in as_html("```nobody-knows\nx < y\n```")


def test_links_lead_to_pages() -> None:
    page = as_html("[a](b.md) [c](../d.md#e) [f](https://g/h.md)")
    assert 'href="b.html"' in page
    assert 'href="../d.html#e"' in page
    assert 'href="https://g/h.md"' in page
