/**
 * Headers as they cross the border to the core: rows 37 and 38 of the edge cases in docs/wire.md.
 *   node --test packed.test.mjs
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata } from "../../pkg-config/dist/index.js";
import { pack, unpack } from "../../pkg-config/dist/packed.js";

/** What the core is handed; it hands over the bytes of such a text. */
const packed = (...headers) =>
  headers
    .flat()
    .map((part) => `${part}\0`)
    .join("");
const told = (...headers) => unpack(new TextEncoder().encode(packed(...headers)));
const received = (...headers) => [...told(...headers).metadata];

test("bytes go out as unpadded base64, in order and with repeats", () => {
  const values = [Uint8Array.of(0xff, 0), new Uint8Array(), Uint8Array.of(0xfb, 0xef)];
  const metadata = new Metadata([...values.map((value) => ["X-Bin", value]), ["y", "a, b"]]);
  assert.equal(pack(metadata), packed(["x-bin", "/wA"], ["x-bin", ""], ["x-bin", "++8"], ["y", "a, b"]));
});

test("as many bytes as anybody sends", () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i);
  const [, value] = received(
    pack(new Metadata({ "x-bin": bytes }))
      .split("\0")
      .slice(0, 2),
  )[0];
  assert.deepEqual(value, bytes);
});

test("no text becomes another header: what the core refuses stands in its place", () => {
  const metadata = new Metadata([["x", "1\0x-injected\x002"]]);
  assert.equal(pack(metadata), packed(["x", "1\nx-injected\n2"]));
});

test("bytes come padded, unpadded and joined by commas", () => {
  const [a, b] = [Uint8Array.of(0xff, 0), Uint8Array.of(1)];
  for (const [text, values] of [
    ["/wA", [a]],
    ["/wA=", [a]],
    ["/wA=,AQ, /wA", [a, b, a]],
    ["AQ== ,AQ", [b, b]],
    ["", [new Uint8Array()]],
  ]) {
    assert.deepEqual(
      received(["x-bin", text]),
      values.map((value) => ["x-bin", value]),
    );
  }
});

test("bytes that cannot be read hide nothing else", () => {
  const expected = [
    ["y", "1"],
    ["x-bin", Uint8Array.of(1)],
  ];
  assert.deepEqual(received(["x-bin", "!!"], ["y", "1"], ["x-bin", "A,AQ"]), expected);
});

test("text stays as it is, and what carries the status is no metadata", () => {
  const headers = [
    ["grpc-status", "9"],
    ["who", "grüßt, a:b"],
    ["empty", ""],
    ["grpc-message", "no"],
    ["grpc-status-details-bin", ""],
    ["grpc-statuses", "1"],
  ];
  assert.deepEqual(received(...headers), [
    ["who", "grüßt, a:b"],
    ["empty", ""],
    ["grpc-statuses", "1"],
  ]);
});

/** google.rpc.Status { code: 5, message: "m", details: [Any { type_url: "t", value: [1] }] } */
const DETAILS = "CAUSAW0aBgoBdBIBAQ";
const detailsOf = (base64) => told(["grpc-status-details-bin", base64]).details();

test("details come padded or not", () => {
  for (const base64 of [DETAILS, `${DETAILS}==`]) {
    assert.deepEqual(detailsOf(base64), [{ typeUrl: "t", value: Uint8Array.of(1) }]);
  }
});

test("details have what a later version adds, a negative code, no value", () => {
  const status = [8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]; // code -1
  const any = [0x1a, 7, 0x0a, 2, 116, 117, 0x78, 0x96, 1]; // "tu", field 15
  const rest = [0x49, 1, 2, 3, 4, 5, 6, 7, 8, 0x55, 1, 2, 3, 4]; // fields 9 and 10
  const base64 = btoa(String.fromCharCode(...status, ...any, ...rest, 0x1a, 0));
  assert.deepEqual(detailsOf(base64), [
    { typeUrl: "tu", value: new Uint8Array() },
    { typeUrl: "", value: new Uint8Array() },
  ]);
});

test("details that cannot be read are none", () => {
  for (const base64 of ["!!!", "AAAA////", "C", "grüßt", "", "GgYKAXQSAQ", "Gw"]) {
    assert.deepEqual(detailsOf(base64), [], base64);
  }
});
