import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { STRINGS } from "../../src/web/js/i18n.js";

const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

test("all languages have the same keys in the same order", () => {
  for (const [language, texts] of Object.entries(STRINGS)) {
    assert.deepEqual(Object.keys(texts), Object.keys(STRINGS.en), language);
  }
});

test("all languages fill in the same values", () => {
  for (const [language, texts] of Object.entries(STRINGS)) {
    for (const [key, text] of Object.entries(STRINGS.en)) {
      assert.deepEqual(placeholders(texts[key]), placeholders(text), `${language} ${key}`);
    }
  }
});

test("a text has one form or two, and is never empty", () => {
  for (const [language, texts] of Object.entries(STRINGS)) {
    for (const [key, text] of Object.entries(texts)) {
      const forms = text.split(" | ");
      assert.ok(forms.length <= 2, `${language} ${key}`);
      assert.ok(text.trim() !== "", `${language} ${key}`);
    }
  }
});

test("the page has the English texts before its scripts run", () => {
  const page = readFileSync(new URL("../../src/web/index.html", import.meta.url), "utf8");
  const marked = [...page.matchAll(/data-i18n="(\w+)"[^>]*>([^<]*)</g)];
  assert.ok(marked.length > 100, `${marked.length} marked texts`);
  for (const [, key, text] of marked) {
    assert.equal(text.trim().replace(/\s+/g, " "), STRINGS.en[key], key);
  }
});
