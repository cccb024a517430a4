// Plain JavaScript that any Node can read: refuses a wrong Node with one clear line instead of a syntax error.
// `npm ci` brings Node 26 as a platform package; npm puts it first on the PATH of every script.
const major = Number(process.versions.node.split('.')[0]);
if (major < 26) {
  console.error(
    `Tripwatch needs Node 26 or newer, but this is ${process.version} (${process.execPath}). ` +
      'Run `npm ci` in the project folder: it brings the right Node. Start with `npm start`, or `node bin/tripwatch.js`.',
  );
  process.exit(1);
}
