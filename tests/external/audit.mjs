// Runs the audits of graphql-http against AUDIT_URL with AUDIT_TOKEN; prints one JSON object per line.
// AUDIT_PACKAGES is the folder that holds node_modules.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(`${process.env.AUDIT_PACKAGES}/`));
const { serverAudits } = require("graphql-http");

const withToken = (url, options = {}) =>
  fetch(url, {
    ...options,
    headers: { ...options.headers, authorization: `Bearer ${process.env.AUDIT_TOKEN}` },
  });

for (const audit of serverAudits({ url: process.env.AUDIT_URL, fetchFn: withToken })) {
  const result = await audit.fn();
  console.log(JSON.stringify({ id: audit.id, name: audit.name, status: result.status, reason: result.reason ?? "" }));
}
