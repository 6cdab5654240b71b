import { createClient } from "tidewire";
import { tripleUnary } from "tidewire/triple";
import { hessian2 } from "./hessian2.mjs";

// Node 20 has no WebSocket of its own, so `fetch` carries these calls; a browser takes the same lines.
const client = await createClient({
  baseUrl: process.argv[2] ?? "http://127.0.0.1:8080",
  transport: "fetch",
});
const call = (method, types, ...args) =>
  tripleUnary(client, `/greet.PlainGreetService/${method}`, types, args, hessian2);

console.log((await call("greet", ["java.lang.String"], "Ada")).message);

const person = { $class: "greet.PlainGreetService$Person", $: { name: "Ada", age: 36 } };
const card = await call("card", ["greet.PlainGreetService$Person", "int"], person, 2);
console.log(card.message.text, card.message.copies);

await call("fail", ["java.lang.String"], "declared").catch((error) => console.log(error.message));
