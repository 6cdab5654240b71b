/**
 * Types and formatting of all TypeScript and JavaScript of the repository.
 *   npm run check      fails on what is wrong
 *   npm run format     writes the formatting
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const packageDir = dirname(dirname(fileURLToPath(import.meta.url)));
const repository = dirname(packageDir);
const sources = [
  "pkg-config/*.json",
  "pkg-config/{src,scripts}/**/*.{ts,mjs}",
  "{docs,src,tests}/**/*.{mjs,js,html}",
  "benches/*.{mjs,html,json}",
  "benches/{apps,clients,host}/*.mjs",
  "www/**/*.{js,mjs,css,html,json}",
];

const mode = process.argv.includes("--write") ? "--write" : "--check";
const results = [
  run("tsc", ["--noEmit", "--project", packageDir]),
  run("tsc", ["--noEmit", "--project", join(repository, "www/jsconfig.json")]),
  run("prettier", [mode, "--no-error-on-unmatched-pattern", "--log-level", "warn", ...sources]),
];
process.exitCode = results.every((status) => status === 0) ? 0 : 1;

function run(tool, args) {
  const command = join(packageDir, "node_modules/.bin", tool);
  const { status, error } = spawnSync(command, args, { cwd: repository, stdio: "inherit" });
  if (error) console.error(`${tool} could not be started (${error.message}): run npm ci in pkg-config`);
  else console.log(`${tool} ${args[0]}: ${status === 0 ? "ok" : `exit code ${status}`}`);
  return status;
}
