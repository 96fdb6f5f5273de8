import { expect, test } from "vitest";
import { filled, wordsFor } from "../../src/page/banner/texts/index.ts";

const LANGUAGES = ["de", "en", "es", "fr", "it", "nl", "pl", "pt"];
const english = wordsFor("en", []).texts;
const placeholders = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort();

test.each(LANGUAGES)("the words in %s are whole", (language) => {
  const { texts } = wordsFor(language, []);
  for (const [key, text] of Object.entries(english)) {
    const own = texts[key as keyof typeof texts];
    expect(own.trim(), key).toBe(own);
    expect(own, key).toMatch(/^[^!]+$/);
    expect(placeholders(own), key).toEqual(placeholders(text));
    expect(own.split("\n"), key).toHaveLength(text.split("\n").length);
    if (language !== "en" && text.length > 20) expect(own, key).not.toBe(text);
  }
});

test("a name is taken as it is", () => {
  expect(filled("{site} at {host}, {other}", { site: "$& {host}", host: "h" })).toBe("$& {host} at h, {other}");
});
