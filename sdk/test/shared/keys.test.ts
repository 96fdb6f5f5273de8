import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesFrom, textFrom } from "../../src/shared/keys.ts";

describe("keys", () => {
  it("go from bytes to text and back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = textFrom(new Uint8Array(bytes).buffer)!;
        expect(text).toMatch(/^[\w-]*$/);
        expect([...bytesFrom(text)]).toEqual([...bytes]);
      }),
    );
  });

  it("are read with padding and in plain base64 as well", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const plain = btoa(String.fromCharCode(...bytes));
        expect([...bytesFrom(plain)]).toEqual([...bytes]);
      }),
    );
  });

  it("have 87 characters when they are points of P-256", () => {
    expect(textFrom(new Uint8Array(65).buffer)).toHaveLength(87);
  });

  it("are none where the browser tells none", () => {
    expect(textFrom(null)).toBeNull();
    expect(textFrom(undefined)).toBeNull();
  });
});
