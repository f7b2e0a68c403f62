#!/usr/bin/env node
// Starts the command line on the Node.js that this project installs, whatever `node` is on PATH.
// Not through vm/host/processes.ts and zx like every other program: this file must run where neither the packages nor
// a Node.js that reads TypeScript are there yet.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const main = at('../cli/main.ts');
const own = at('../../node_modules/.bin/node');
const [major, minor] = process.versions.node.split('.').map(Number);
// From these versions on Node.js runs TypeScript as it is.
const able = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);

const { dependencies } = JSON.parse(readFileSync(at('../../package.json'), 'utf8'));
const installed = (name) => {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
};

// After an update too: it may need a package that was not there before.
if (!Object.keys(dependencies).every(installed) || (!able && !existsSync(own))) {
  console.error('ringfence: the packages of this project are not installed.\nType: npm ci');
  process.exitCode = 2;
} else if (able) await import(main);
else {
  const child = spawn(own, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C in a terminal reaches the child as well; it takes two at once for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`ringfence: ${own} cannot be started: ${error.message}\nType: npm ci`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    if (signal !== null) console.error(`ringfence: ended by ${signal}`);
    process.exitCode = signal === null ? (code ?? 2) : ['SIGINT', 'SIGTERM', 'SIGHUP'].includes(signal) ? 130 : 2;
  });
}
