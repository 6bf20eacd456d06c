// The page says what the server says, in each language; docs/reference/verdict.md lists it.
// UPDATE_DOCS=1 rewrites that page.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

globalThis.document = { documentElement: {}, querySelectorAll: () => [] };
const { sentences } = await import("../../src/web/js/claims.js");
const { setLanguage } = await import("../../src/web/js/i18n.js");

const SECTIONS = JSON.parse(readFileSync(new URL("claims.json", import.meta.url), "utf8"));
const PAGE = new URL("../../../../docs/reference/verdict.md", import.meta.url);
const INTRODUCTION = `# What the predictor says

Every sentence of the verdict, in English (page, API, backtest, alerts) and German (page). A verdict is a function of the
recording's quality, the three tests (\`order\`, \`law\`, \`forecast\`: the evidence has passed 20), the skill of the models'
forecasts, and the served chance of the next round. The figures below are examples.

- A suspect recording comes before everything: nothing is said of the game.
- Below 100 rounds silence means nothing, so nothing is concluded from it.
- Skill is claimed only if the forecast test has passed 20 and the anytime-valid (empirical Bernstein) 95 % bounds of the
  skill lie above 0 against both fixed odds and the observed frequencies.
- What every target loses is said only while the law test is silent; otherwise it is said what was measured.
- A stake is spoken of only where the order test has found something.
`;

/** Joins percent signs as the server writes them. */
const plain = (text) => text.replaceAll("\u202f%", " %");

function rendered(language, claims) {
  setLanguage(language);
  return plain(sentences(claims));
}

test("the page's English is the server's", () => {
  const rows = SECTIONS.flatMap((section) => section.rows);
  assert.ok(rows.length > 40, `${rows.length} rows`);
  for (const { claims, english } of rows) assert.equal(rendered("en", claims), english);
});

test("no sentence lacks a figure or a translation", () => {
  for (const { when, claims } of SECTIONS.flatMap((section) => section.rows)) {
    const [english, german] = ["en", "de"].map((language) => rendered(language, claims));
    for (const text of [english, german])
      assert.doesNotMatch(text, /[{}]|claim_|fault_|remedy_|undefined|NaN| {2}/, when);
    assert.notEqual(english, german, when);
    const count = (text) => text.match(/\d[\d.,]*/g)?.length ?? 0;
    assert.equal(count(english), count(german), `${english}\n${german}`);
  }
});

test("docs/reference/verdict.md lists every sentence", () => {
  const table = ({ title, rows }) => {
    const line = ({ when, claims }) => `| ${when} | ${rendered("en", claims)} | ${rendered("de", claims)} |`;
    return `\n## ${title}\n\n| when | English | German |\n|---|---|---|\n${rows.map(line).join("\n")}\n`;
  };
  const page = INTRODUCTION + SECTIONS.map(table).join("");
  if (process.env.UPDATE_DOCS) writeFileSync(PAGE, page);
  assert.equal(readFileSync(PAGE, "utf8"), page, "out of date: UPDATE_DOCS=1 bash scripts/tests/web.sh");
});
