import { inFull } from "../assert.mjs";
import { Instance } from "./instance.mjs";

onmessage = async ({ data: { name, scene, given, env } }) => {
  try {
    await new Instance(env).run(name, scene, given);
    postMessage({});
  } catch (error) {
    postMessage({ error: inFull(error) });
  }
};
