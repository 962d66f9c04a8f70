import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, readFile, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { openAppendFile } from "../../src/util/append-file-node.js";
import { StriateError } from "../../src/util/errors.js";
import {
  ensureFolder,
  errorCode,
  fileError,
  readFileChecked,
  removeLeftovers,
  writeFileAtomic,
} from "../../src/util/files-node.js";
import { runTypescript } from "../support/child.js";
import { temporaryFolder, tinyDisk } from "../support/folders.js";

const anyFile = { what: "notes", maxBytes: 1000 };

test("writes and replaces a whole file and leaves nothing else", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "a.txt");
  await writeFileAtomic(path, "first");
  await writeFileAtomic(path, Uint8Array.of(1, 2, 3));
  expect([...(await readFileChecked(path, anyFile))]).toEqual([1, 2, 3]);
  expect(await readdir(folder)).toEqual(["a.txt"]);
});

test("a missing folder, a file as folder and a folder as target give one clear error each, and leave nothing", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "file"), "x");
  await mkdir(join(folder, "sub"));
  await expect(writeFileAtomic(join(folder, "none", "a"), "x")).rejects.toThrow(
    /Could not write ".*none\/a": there is no/,
  );
  await expect(writeFileAtomic(join(folder, "file", "a"), "x")).rejects.toThrow(
    /a part of the path is a file/,
  );
  await expect(writeFileAtomic(join(folder, "sub"), "x")).rejects.toThrow(/it is a folder/);
  await expect(ensureFolder(join(folder, "file"))).rejects.toThrow(
    /Could not create the folder ".*file": a part/,
  );
  await expect(ensureFolder(join(folder, "file", "deep"))).rejects.toThrow(StriateError);
  expect((await readdir(folder)).sort()).toEqual(["file", "sub"]);
});

test("folders are made with their parents, and a file system that refuses one gives one clear error", async () => {
  const folder = await temporaryFolder();
  for (let round = 0; round < 200; round++) {
    const deep = join(folder, String(round), "a", "b", "c");
    await Promise.all([1, 2, 3].map(() => ensureFolder(deep)));
  }
  await ensureFolder(join(folder, "a", "b", "c"));
  await ensureFolder(join(folder, "a", "b"));
  expect(await readdir(join(folder, "a", "b"))).toEqual(["c"]);
  const made: string[] = [];
  const { ensureFolder: ensure } = await withMkdir((path) => {
    made.push(path);
    if (made.length > 9) throw new Error("it goes on and on");
    throw Object.assign(new Error("no such thing"), { code: "ENOENT" });
  });
  await expect(ensure(join(folder, "refused", "deep"))).rejects.toThrow(
    /Could not create the folder ".*deep": there is no/,
  );
  expect(made).toEqual(["refused/deep", "refused", "refused"].map((name) => join(folder, name)));
});

/** The module with another mkdir below it. */
async function withMkdir(mkdir: (path: string) => never) {
  vi.resetModules();
  vi.doMock("node:fs/promises", async (original) => ({ ...(await original<object>()), mkdir }));
  try {
    return await import("../../src/util/files-node.js");
  } finally {
    vi.doUnmock("node:fs/promises");
  }
}

test("a full disk keeps the old content and leaves no part of the new one", async (context) => {
  const disk = await tinyDisk(64);
  if (disk === undefined) return context.skip("no right to mount a small file system here");
  const path = join(disk, "weights");
  await writeFileAtomic(path, "old");
  await expect(writeFileAtomic(path, new Uint8Array(200_000))).rejects.toThrow(
    /weights": the disk is full.*ENOSPC/,
  );
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(disk)).toEqual(["weights"]);
});

test("an appended record that does not fit on the disk is taken back whole", async (context) => {
  const disk = await tinyDisk(64);
  if (disk === undefined) return context.skip("no right to mount a small file system here");
  const file = openAppendFile(join(disk, "log"));
  file.append("one\n");
  expect(() => {
    file.append("x".repeat(200_000));
  }).toThrow(/Could not append to ".*log": the disk is full/);
  file.append("two\n");
  file.close();
  expect(await readFile(join(disk, "log"), "utf8")).toBe("one\ntwo\n");
});

test("no write permission is said, by a process that has none", async (context) => {
  const folder = await temporaryFolder();
  await chmod(folder, 0o555);
  if (process.getuid?.() !== 0) {
    await expect(writeFileAtomic(join(folder, "a"), "x")).rejects.toThrow(/no permission.*EACCES/);
    return;
  }
  // Permissions do not bind root, so an unprivileged child tries.
  const child = runTypescript(new URL("../support/write-file.ts", import.meta.url), [join(folder, "a")], {
    user: 65534,
  });
  const { status, errors } = await child.ended();
  if (/EACCES.*(node_modules|typescript-hooks)/.test(errors)) {
    return context.skip("the repository cannot be read by another user");
  }
  expect(errors).toMatch(/^StriateError: Could not write ".*\/a": no permission; .*\(EACCES\)\.$/m);
  expect(status).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

test("every known system error gets advice with its code", () => {
  for (const code of ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "ENOENT"]) {
    const error = fileError("write", "p", Object.assign(new Error("raw"), { code }));
    expect(error.message).toMatch(new RegExp(`^Could not write "p": [a-z].*; .*\\(${code}\\)\\.$`));
    expect(errorCode(error.cause)).toBe(code);
  }
  expect(fileError("write", "p", new Error("raw")).message).toBe('Could not write "p": raw.');
});

test("reading refuses what is missing, a folder, empty, too large or no regular file", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "empty"), "");
  await writeFile(join(folder, "large"), "x".repeat(1001));
  await expect(readFileChecked(join(folder, "none"), anyFile)).rejects.toThrow(
    /read the notes ".*none": there is no/,
  );
  await expect(readFileChecked(folder, anyFile)).rejects.toThrow(/it is a folder/);
  await expect(readFileChecked(join(folder, "empty"), anyFile)).rejects.toThrow(/notes ".*empty" is empty/);
  await expect(readFileChecked(join(folder, "large"), anyFile)).rejects.toThrow(
    /too large: expected at most 1000 bytes, got 1001/,
  );
  await expect(readFileChecked("/dev/null", anyFile)).rejects.toThrow(/regular file/);
  expect(await readFileChecked(join(folder, "empty"), { ...anyFile, mayBeEmpty: true })).toHaveLength(0);
  await symlink(join(folder, "large"), join(folder, "link"));
  expect(await readFileChecked(join(folder, "link"), { what: "x", maxBytes: 1001 })).toHaveLength(1001);
});

test("a write beyond the file size limit is one clear error, and nothing is lost", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "a.txt"), "first");
  const hooks = new URL("../support/typescript-hooks.mjs", import.meta.url).href;
  const script = new URL("./limited-child.ts", import.meta.url).pathname;
  const run = `ulimit -f 64; exec "$0" --import ${hooks} ${script} ${folder}`;
  const { stdout: output } = await promisify(execFile)("bash", ["-c", run, process.execPath]);
  const why = "the file would be larger than the file size limit of this process; raise the limit";
  expect(output.split("\n").filter((line) => line.includes(why))).toHaveLength(2);
  expect(await readFile(join(folder, "a.txt"), "utf8")).toBe("first");
  expect(await readFile(join(folder, "log"), "utf8")).toBe("one\n");
  expect((await readdir(folder)).sort()).toEqual(["a.txt", "log"]);
});

test("temporary files and folders of killed processes are removed, those of running ones stay", async () => {
  const folder = await temporaryFolder();
  const temporary = (name: string) => `.${name}.0123456789ab.striate-tmp`;
  for (const name of [temporary("old"), temporary("new"), ".other"]) await writeFile(join(folder, name), "x");
  await mkdir(join(folder, ".npm-old"));
  const long = new Date(Date.now() - 2 * 60 * 60 * 1000);
  for (const name of [temporary("old"), ".other", ".npm-old"]) await utimes(join(folder, name), long, long);
  await writeFileAtomic(join(folder, "report.html"), "x");
  await removeLeftovers(folder, ".npm-");
  expect((await readdir(folder)).sort()).toEqual([temporary("new"), ".other", "report.html"].sort());
});

test("a read-only disk is called by its name", async (context) => {
  const disk = await tinyDisk(64, { readOnly: true });
  if (disk === undefined) {
    context.skip();
    return;
  }
  await expect(ensureFolder(join(disk, "a", "b"))).rejects.toThrow("the file system is read-only");
  await expect(writeFileAtomic(join(disk, "a"), "x")).rejects.toThrow("the file system is read-only");
});
