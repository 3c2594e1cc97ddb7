import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Signed {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A CA in a directory, which signs and revokes certificates. Needs openssl on PATH. */
export class Authority {
  readonly caFile: string;
  readonly ca: Buffer;
  readonly #directory: string;
  readonly #name: string;
  #signed = 0;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
    this.caFile = this.#path('ca.pem');
    writeFileSync(this.#path('index'), '');
    writeFileSync(this.#path('crlnumber'), '01\n');
    writeFileSync(this.#path('conf'), CONFIG(this.#path('')));
    this.#request('ca', name);
    this.#sign('authority', 'ca', ['-days', '2', '-selfsign', '-keyfile', this.#path('ca-key.pem')]);
    this.ca = readFileSync(this.caFile);
  }

  /** Issues a certificate for servers and clients. `names`: alternative names, each like `DNS:localhost`. */
  issue(commonName: string, ...names: readonly string[]): Signed {
    return this.#issue(commonName, names, ['-days', '2']);
  }

  /** Issues a certificate that is valid until a time, to the second. */
  issueUntil(end: Date, commonName: string): Signed {
    const stamp = end.toISOString().replace(/[-:T]|\.\d+/g, '');
    return this.#issue(commonName, [], ['-enddate', stamp]);
  }

  #issue(commonName: string, names: readonly string[], validity: readonly string[]): Signed {
    this.#signed += 1;
    const name = `client-${this.#signed}`;
    this.#request(name, commonName);
    const all = ['DNS:localhost', 'IP:127.0.0.1', ...names];
    const lines = all.map((each, i) => each.replace(':', `.${i} = `)).join('\n');
    const leaf = '[leaf]\nextendedKeyUsage = serverAuth,clientAuth\nsubjectAltName = @names';
    writeFileSync(this.#path('names'), `${leaf}\n[names]\n${lines}\n`);
    this.#sign('leaf', name, [
      ...validity,
      '-cert',
      this.caFile,
      '-keyfile',
      this.#path('ca-key.pem'),
      '-extfile',
      this.#path('names'),
    ]);
    const [certFile, keyFile] = [this.#path(`${name}.pem`), this.#path(`${name}-key.pem`)];
    return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
  }

  revoke({ certFile }: Signed): void {
    this.#ca(['-revoke', certFile, ...this.#own()]);
  }

  /** Returns the list of all certificates revoked so far, in PEM. */
  list(...more: readonly string[]): string {
    const file = this.#path('crl.pem');
    this.#ca(['-gencrl', '-crldays', '2', ...more, '-out', file, ...this.#own()]);
    return readFileSync(file, 'utf8');
  }

  #own(): string[] {
    return ['-cert', this.caFile, '-keyfile', this.#path('ca-key.pem')];
  }

  #request(name: string, commonName: string): void {
    const made = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${commonName}`,
    ];
    const files = ['-keyout', this.#path(`${name}-key.pem`), '-out', this.#path(`${name}.csr`)];
    execFileSync('openssl', ['req', ...made, ...files], { stdio: 'pipe' });
  }

  #sign(extensions: string, name: string, more: readonly string[]): void {
    const files = ['-in', this.#path(`${name}.csr`), '-out', this.#path(`${name}.pem`)];
    this.#ca(['-batch', '-notext', '-extensions', extensions, ...files, ...more]);
  }

  #ca(args: readonly string[]): void {
    execFileSync('openssl', ['ca', '-config', this.#path('conf'), ...args], { stdio: 'pipe' });
  }

  #path(file: string): string {
    return join(this.#directory, `${this.#name}-${file}`);
  }
}

const CONFIG = (path: string): string => `[ca]
default_ca = tests
[tests]
database = ${path}index
new_certs_dir = ${join(path, '..')}
crlnumber = ${path}crlnumber
rand_serial = yes
unique_subject = no
default_md = sha256
policy = name
[name]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
`;
