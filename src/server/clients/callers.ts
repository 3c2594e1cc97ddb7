import type { Caller } from '../../discovery/access.ts';
import { hashSecret } from '../../discovery/access.ts';
import type { PortRequest } from '../../port/port.ts';
import { EVERYBODY, type ResolveCaller } from '../../rpc/caller.ts';
import type { AuthMode } from '../../settings/tables/access.ts';
import type { KnownCallers } from './auth-file.ts';

interface Credential {
  /** Unset for a bearer. */
  readonly name?: string;
  readonly secret: string;
}

/** Tells what the sender of a request may do. */
export class Callers {
  readonly #mode: AuthMode;
  readonly #strangers: ResolveCaller;
  #known: KnownCallers;

  constructor(mode: AuthMode, known: KnownCallers) {
    this.#mode = mode;
    this.#known = known;
    this.#strangers = mode === 'off' ? EVERYBODY : this.#resolver(false, undefined);
  }

  /** Takes the place of who was known before, for the calls that follow. */
  renew(known: KnownCallers): void {
    this.#known = known;
  }

  /** By its client certificate or its headers: Authorization (Bearer or Basic), or the `token` of etcd's v3 clients. */
  resolverOf(request: PortRequest): ResolveCaller {
    const { authorization, token } = request.headers;
    const hasCertificate = 'authorized' in request.socket && request.socket.authorized;
    if (authorization === undefined && token === undefined && !hasCertificate) return this.#strangers;
    const shown = credentialOf(authorization ?? `Basic ${String(token)}`);
    return this.#resolver(hasCertificate || (shown !== undefined && this.#knows(shown)), shown?.secret);
  }

  /**
   * What etcd's v3 clients send as `token` after they have shown a name and password: both again, so that every
   * replica can look them up, and a caller that is no longer known is refused at once. Undefined: not known.
   */
  signIn(name: string, password: string): string | undefined {
    if (!this.#knows({ name, secret: password })) return undefined;
    return Buffer.from(`${name}:${password}`).toString('base64');
  }

  /** `shown` is the secret of the headers; one behind the token takes its place. */
  #resolver(isKnown: boolean, shown: string | undefined): ResolveCaller {
    return (behind): Caller => {
      const known = isKnown || (behind !== undefined && this.#knows({ secret: behind }));
      const secret = behind ?? shown;
      return {
        mayCreate: known || this.#mode === 'off',
        mayUse: known || this.#mode !== 'all',
        proof: secret === undefined ? undefined : hashSecret(secret),
      };
    };
  }

  #knows({ name, secret }: Credential): boolean {
    const found = this.#known.get(hashSecret(secret));
    return found !== undefined && (name === undefined || name === found);
  }
}

/** Undefined for what is no credential that anybody here gave out. */
function credentialOf(authorization: string): Credential | undefined {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return { secret: value };
    case 'basic': {
      const text = Buffer.from(value, 'base64').toString('utf8');
      const colon = text.indexOf(':');
      return colon < 0 ? undefined : { name: text.slice(0, colon), secret: text.slice(colon + 1) };
    }
    default:
      return undefined;
  }
}
