// A host's own workflows and ours in one bundle. Plain CommonJS on purpose: `import` beside `module.exports` would bundle, and
// then fail every workflow task. The plugin gives the first name its meaning: see plugin.ts.
const host = require('__freshet_host_workflows__');
const own = require('./index');

for (const name of Object.keys(own)) {
  if (name in host && host[name] !== own[name]) {
    throw new Error(`Both Freshet and this worker have a workflow named ${name}`);
  }
}
module.exports = {...host, ...own};
