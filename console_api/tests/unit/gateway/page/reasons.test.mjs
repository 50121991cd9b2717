// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";

const page = process.env.PAGE;
const { allReasons, explain, isFinal, isPassing, pause, reasonOf } = await import(
  `${page}/reasons.js`
);
const { LANGUAGES, chooseLanguage } = await import(`${page}/i18n.js`);

test("the page has words for all codes of the gateway", () => {
  const codes = JSON.parse(process.env.CODES);
  const lost = reasonOf(1006);
  for (const code of codes) {
    if (code !== 4000) {
      assert.notEqual(reasonOf(code), lost, code);
    }
  }
});

test("only passing reasons are retried", () => {
  const passing = [1006, 1011, 1012, 4000, 4006, 4007, 4008, 4012];
  for (let code = 1000; code < 5000; code++) {
    assert.equal(isPassing(code), passing.includes(code), code);
  }
});

test("a limit is named as the gateway names it", () => {
  const same = (text) => text;
  assert.match(explain(4008, "of this user", same), /sessions.*of this user/);
  assert.equal(explain(4002, "other words", same), reasonOf(4002));
});

test("what cannot be resumed is not retried", () => {
  for (const code of [1008, 4002, 4003, 4004, 4005, 4009, 4010, 4011, 4013]) {
    assert.ok(isFinal(code) && !isPassing(code), code);
  }
  for (const code of [1000, 1006, 1012, 4000, 4001, 4006, 4008, 4012]) {
    assert.ok(!isFinal(code), code);
  }
});

test("pauses grow up to half a minute", () => {
  const pauses = Array.from({ length: 12 }, (_, at) => pause(at, 1));
  assert.deepEqual(pauses.slice(0, 6), [1, 2, 4, 8, 16, 30]);
  assert.equal(Math.max(...pauses), 30);
  assert.equal(pause(3, 0), 4);
});

test("every catalog translates every sentence", async () => {
  const sentences = new Set(allReasons());
  const files = (await readdir(page, { recursive: true })).filter(
    (name) => name.endsWith(".js") && !name.startsWith("modules"),
  );
  for (const name of files) {
    const source = await readFile(`${page}/${name}`, "utf8");
    const calls = /(?<!\.)\b(?:translate|button|menu|toggle)\(\s*"([^"]+)"/g;
    for (const [, sentence] of source.matchAll(calls)) {
      sentences.add(sentence);
    }
  }
  // Names of keys are not translated, and these come from variables.
  ["Connected", "Shut down", "Reboot", "Reset"].forEach((one) =>
    sentences.add(one),
  );
  for (const language of LANGUAGES) {
    const text = await readFile(`${page}/locales/${language}.json`, "utf8");
    const catalog = JSON.parse(text);
    const found = Object.keys(catalog).sort();
    assert.deepEqual(found, [...sentences].sort(), language);
    for (const [sentence, translation] of Object.entries(catalog)) {
      const names = (all) => (all.match(/\{\w+\}/g) ?? []).sort();
      assert.deepEqual(names(translation), names(sentence), sentence);
    }
  }
});

test("the first preferred language with a catalog is chosen", () => {
  assert.equal(chooseLanguage(["pt-BR", "de-CH", "en"]), "de");
  assert.equal(chooseLanguage(["en-GB", "de"]), "en");
  assert.equal(chooseLanguage([]), "en");
});
