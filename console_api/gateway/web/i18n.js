// SPDX-License-Identifier: Apache-2.0
/**
 * Translations: English sentences are the keys of the catalogs in `locales`.
 *
 * A sentence without a translation stays English.
 */

/** Languages that have a catalog. */
export const LANGUAGES = ["de", "es", "fr", "ja"];

let catalog = {};

/**
 * Load the catalog of the first preferred language that has one.
 *
 * @param {readonly string[]} preferred - such as `navigator.languages`
 */
export async function loadCatalog(preferred) {
  const language = chooseLanguage(preferred);
  document.documentElement.lang = language;
  if (language === "en") {
    return;
  }
  try {
    const address = new URL(`locales/${language}.json`, import.meta.url);
    catalog = await (await fetch(address)).json();
  } catch {
    document.documentElement.lang = "en";
  }
}

/**
 * Return the language to use: `en` or one of `LANGUAGES`.
 *
 * @param {readonly string[]} preferred
 */
export function chooseLanguage(preferred) {
  for (const tag of preferred) {
    const language = tag.toLowerCase().split("-")[0];
    if (language === "en" || LANGUAGES.includes(language)) {
      return language;
    }
  }
  return "en";
}

/**
 * Translate a sentence.
 *
 * @param {string} text - in English
 * @param {object} values - replace `{name}` in it
 */
export function translate(text, values = {}) {
  return (catalog[text] ?? text).replace(
    /\{(\w+)\}/g,
    (whole, name) => values[name] ?? whole,
  );
}
