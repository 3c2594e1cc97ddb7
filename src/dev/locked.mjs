// What package-lock.json has: for all that is done here, and for running and building alone.

const isPackage = ([path, { link }]) => path.includes('node_modules/') && !link;

/** Everything, by its path: the tools of checks and tests (test/package.json) as well. */
export function allPackages({ packages }) {
  return new Map(Object.entries(packages).filter(isPackage));
}

/** What the package in the root depends on, to run and to be built; what `npm start` installs. */
export function servicePackages({ packages }) {
  const found = new Map();
  const waiting = [''];
  for (const from of waiting) {
    const { dependencies, devDependencies, optionalDependencies } = packages[from];
    // Of a package itself; what npm puts there for others to build it is not in a lock file.
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      const path = resolve(packages, from, name);
      if (path === undefined || found.has(path)) continue;
      found.set(path, packages[path]);
      waiting.push(path);
    }
  }
  return found;
}

/** Where Node.js finds a package, from the directory of another: in its own node_modules, or further up. */
function resolve(packages, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (at === '') return undefined;
  }
}
