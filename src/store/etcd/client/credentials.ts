import { X509Certificate } from 'node:crypto';

/** Tls is PEM data. Without a CA: the CAs that Node.js trusts. */
export interface Tls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** The interval in ms at which files are read again, and only while calls fail. */
const LOOK_MS = 1000;

/**
 * Credentials are what the service presents to etcd. A renewed certificate is loaded when calls fail: before
 * that it is not needed.
 */
export class Credentials {
  readonly #read: () => Tls;
  #latest: Tls;
  #lookedAt = performance.now();

  /**
   * A `tls` function is called again later. It throws for unusable files; only the first time does that have
   * an effect.
   */
  constructor(tls: Tls | (() => Tls)) {
    this.#read = typeof tls === 'function' ? tls : () => tls;
    this.#latest = this.#read();
  }

  get latest(): Tls {
    return this.#latest;
  }

  /** Loads the current certificate. Returns whether it is a new one. */
  renew(): boolean {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MS) return false;
    this.#lookedAt = now;
    let read: Tls;
    try {
      read = this.#read();
    } catch {
      // The files may be half written.
      return false;
    }
    const isSame = (['ca', 'cert', 'key'] as const).every((part) => {
      const [before, after] = [this.#latest[part], read[part]];
      return before === after || (before !== undefined && after !== undefined && before.equals(after));
    });
    this.#latest = read;
    return !isSame;
  }

  /** Whether etcd no longer accepts the certificate. */
  get isExpired(): boolean {
    const { cert } = this.#latest;
    return cert !== undefined && Date.parse(new X509Certificate(cert).validTo) <= Date.now();
  }
}
