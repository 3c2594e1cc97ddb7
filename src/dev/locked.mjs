// Reads package-lock.json: all packages, and those for running and building only.

const isPackage = ([path, { link }]) => path.includes('node_modules/') && !link;

/** Returns all packages by path, including the tools of checks and tests (test/package.json). */
export function allPackages({ packages }) {
  return new Map(Object.entries(packages).filter(isPackage));
}

/** Returns the packages for running and building the root package, which `npm start` installs. */
export function servicePackages({ packages }) {
  const found = new Map();
  const waiting = [''];
  for (const from of waiting) {
    const { dependencies, devDependencies, optionalDependencies } = packages[from];
    // A package's own dependencies. Those that npm adds for building it are not in a lock file.
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      const path = resolve(packages, from, name);
      if (path === undefined || found.has(path)) continue;
      found.set(path, packages[path]);
      waiting.push(path);
    }
  }
  return found;
}

/**
 * Returns where Node.js finds a package from the directory of another: in its node_modules, or further up.
 */
function resolve(packages, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (at === '') return undefined;
  }
}
