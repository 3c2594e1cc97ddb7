import { X509Certificate } from 'node:crypto';

/** PEM. Without a CA: the CAs that Node.js knows. */
export interface Tls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Files are looked at again so often at most, and only while calls fail. */
const LOOK_MS = 1000;

/** What the service shows etcd. A certificate that was renewed is taken up when calls fail: until then nobody asks for it. */
export class Credentials {
  readonly #read: () => Tls;
  #latest: Tls;
  #lookedAt = performance.now();

  /** `tls` that is a function is asked again. It throws for files that cannot be used, at first alone to any effect. */
  constructor(tls: Tls | (() => Tls)) {
    this.#read = typeof tls === 'function' ? tls : () => tls;
    this.#latest = this.#read();
  }

  get latest(): Tls {
    return this.#latest;
  }

  /** Whether there is another one now. */
  renew(): boolean {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MS) return false;
    this.#lookedAt = now;
    let read: Tls;
    try {
      read = this.#read();
    } catch {
      // They may be half written.
      return false;
    }
    const isSame = (['ca', 'cert', 'key'] as const).every((part) => {
      const [before, after] = [this.#latest[part], read[part]];
      return before === after || (before !== undefined && after !== undefined && before.equals(after));
    });
    this.#latest = read;
    return !isSame;
  }

  /** Whether etcd takes its certificate no more. */
  get isExpired(): boolean {
    const { cert } = this.#latest;
    return cert !== undefined && Date.parse(new X509Certificate(cert).validTo) <= Date.now();
  }
}
