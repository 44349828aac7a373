/**
 * Makes a fresh clone ready and runs a program in it: `node scripts/bootstrap.cjs PROGRAM [ARGUMENT …]`.
 *
 * CommonJS without dependencies and with old syntax only, so that every Node can at least say that it is too old.
 * All that it says goes to standard error; the program has standard output for itself.
 */
var childProcess = require('child_process');
var crypto = require('crypto');
var fs = require('fs');
var path = require('path');

var root = path.join(__dirname, '..');
var lock = path.join(root, '.bootstrap.lock');
var stamp = path.join(root, 'build', '.built-from');

checkNode();
process.chdir(root);
if (!isInstalled() || !isBuilt()) {
  withLock(function () {
    // Another process may have done it while we waited.
    if (!isInstalled()) run('npm', ['ci', '--no-audit', '--no-fund'], 'Installing packages (npm ci) …');
    if (!isBuilt()) {
      run(process.execPath, ['scripts/build.mjs'], 'Building …');
      fs.writeFileSync(stamp, sourcesFingerprint());
    }
  });
}
if (process.argv.length > 2) start(process.argv.slice(2));

function checkNode() {
  var parts = process.versions.node.split('.').map(Number);
  if (parts[0] > 20 || (parts[0] === 20 && parts[1] >= 19)) return;
  fail('Freshet needs Node 20.19 or newer; this is Node ' + process.versions.node + ' (' + process.execPath + ').');
}

/** Whether node_modules holds what the lockfile asks for: npm notes there what it has installed. */
function isInstalled() {
  var wanted = readPackages('package-lock.json');
  var installed = readPackages(path.join('node_modules', '.package-lock.json'));
  return Object.keys(wanted).every(function (name) {
    if (name === '') return true;
    // An optional package of another platform is not there, and rightly so.
    return installed[name] ? installed[name].version === wanted[name].version : wanted[name].optional === true;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(root, file), 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}

function isBuilt() {
  return fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === sourcesFingerprint();
}

/** Changes whenever a file that goes into the build is changed, added, renamed or removed. */
function sourcesFingerprint() {
  var hash = crypto.createHash('sha256');
  ['src', 'demo', 'scenarios', 'bench', 'test/differential', 'scripts', 'package-lock.json'].forEach(
    function visit(name) {
      var file = path.join(root, name);
      // What a benchmark writes down is no source.
      if (!fs.existsSync(file) || name === path.join('bench', 'results')) return;
      var stat = fs.statSync(file);
      if (stat.isDirectory()) {
        fs.readdirSync(file)
          .sort()
          .forEach(function (entry) {
            visit(path.join(name, entry));
          });
      } else {
        hash.update(name + ' ' + stat.size + ' ' + stat.mtimeMs + '\n');
      }
    },
  );
  return hash.digest('hex');
}

/** Runs `body` while no other process in this folder does. The lock names its holder; a dead holder's is taken over. */
function withLock(body) {
  var saysSo = false;
  while (!tryLock()) {
    if (!saysSo) process.stderr.write('Another process installs or builds here; waiting for it …\n');
    saysSo = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  try {
    body();
  } finally {
    fs.unlinkSync(lock);
  }
}

function tryLock() {
  try {
    fs.writeFileSync(lock, String(process.pid), {flag: 'wx'});
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  var holder = readHolder();
  if (holder !== undefined && !isAlive(holder)) fs.rmSync(lock, {force: true});
  return false;
}

/** The process that holds the lock; undefined while it is just being taken or given back. */
function readHolder() {
  return fs.existsSync(lock) ? Number(fs.readFileSync(lock, 'utf8')) || undefined : undefined;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function run(command, args, what) {
  process.stderr.write(what + '\n');
  var isWindows = process.platform === 'win32';
  var result = childProcess.spawnSync(command, args, {stdio: ['ignore', 2, 2], shell: isWindows && command === 'npm'});
  if (result.status === 0) return;
  fs.rmSync(lock, {force: true});
  fail(command + ' ' + args.join(' ') + ' failed' + (result.error ? ': ' + result.error.message : '.'));
}

/** The program takes over: its exit code is ours, and signals sent to us alone are passed on to it. */
function start(args) {
  var program = childProcess.spawn(process.execPath, args, {stdio: 'inherit'});
  ['SIGTERM', 'SIGHUP'].forEach(function (signal) {
    process.on(signal, function () {
      program.kill(signal);
    });
  });
  // A terminal sends Ctrl-C to both of us; the program decides what it means.
  process.on('SIGINT', function () {});
  program.on('exit', function (code, signal) {
    process.exit(signal ? 1 : code);
  });
}

function fail(message) {
  process.stderr.write(message + '\n');
  process.exit(1);
}
