// Bundles src/ with the npm packages into the folder given as argument; writes manifest.json.
// Old files go first, so that the folder always holds exactly one build.
import { build } from "esbuild";
import { copyFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

const output = process.argv[2];
if (!output) throw new Error("usage: node build.mjs OUTPUT_FOLDER");

for (const name of await readdir(output)) {
  if (!name.startsWith(".")) await rm(join(output, name), { recursive: true });
}

const entries = ["app.js", "charts.js", "offline.js", "worker.js", "app.css", "public.css"];
const result = await build({
  entryPoints: entries.map((name) => join("src", name)),
  entryNames: "[name].[hash]",
  outdir: output,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2020", "safari15"],
  charset: "utf8",
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
});

const manifest = {};
for (const [file, made] of Object.entries(result.metafile.outputs)) {
  if (made.entryPoint) manifest[basename(made.entryPoint)] = basename(file);
}
for (const name of entries) {
  if (!manifest[name]) throw new Error(`${name} was not built`);
}
await writeFile(join(output, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
