import type { Caller } from '../../discovery/access.ts';
import { hashSecret } from '../../discovery/access.ts';
import { hasAllowedName } from '../../port/client-certificates.ts';
import type { RequestHead } from '../../port/port.ts';
import { EVERYBODY, type ResolveCaller } from '../../rpc/caller.ts';
import type { AuthMode } from '../../settings/tables/access.ts';
import type { KnownCaller, KnownCallers } from './auth-file.ts';

interface Credential {
  /** Unset for a bearer token. */
  readonly name?: string;
  readonly secret: string;
}

/** A request in progress and what it has open. */
interface Stay {
  /** The credentials that it has presented, and the callers they identified. */
  readonly shown: Map<string, Credential>;
}

/** Whether a request comes from a page of the service, or not from a page at all. */
export type IsOwn = (request: RequestHead) => boolean;

/** Callers determines what the sender of a request may do. */
export class Callers {
  readonly #mode: AuthMode;
  readonly #isOwn: IsOwn;
  readonly #stays = new WeakMap<RequestHead, Stay>();
  readonly #open = new Map<Stay, () => void>();
  readonly #operatorNames: readonly string[] | undefined;
  #known: KnownCallers;

  /** `operatorNames`: client certificates with one of these names are operators. */
  constructor(mode: AuthMode, known: KnownCallers, isOwn: IsOwn, operatorNames?: readonly string[]) {
    this.#mode = mode;
    this.#isOwn = isOwn;
    this.#known = known;
    this.#operatorNames = operatorNames;
  }

  /**
   * Replaces the known callers for later calls, and ends whatever callers that are no longer known have open.
   * Returns the number of those.
   */
  renew(known: KnownCallers): number {
    this.#known = known;
    const over = [...this.#open].filter(
      ([{ shown }]) => ![...shown].every(([, each]) => this.#isKnown(each)),
    );
    for (const [, end] of over) end();
    return over.length;
  }

  /** Calls `end` when the caller of a request is no longer known. Returns a function that cancels this. */
  hold(request: RequestHead, end: () => void): () => void {
    if (this.#mode === 'off') return () => {};
    const stay = this.#stayOf(request);
    this.#open.set(stay, end);
    return () => void this.#open.delete(stay);
  }

  /**
   * Authenticates by client certificate or headers: Authorization (Bearer or Basic), or the `token` of etcd's
   * v3 clients. The credentials are looked up for each call, because a stream can make many calls over a long
   * time.
   */
  resolverOf(request: RequestHead): ResolveCaller {
    const { authorization, token } = request.headers;
    const hasCertificate = 'authorized' in request.socket && request.socket.authorized;
    const isNobody = authorization === undefined && token === undefined && !hasCertificate;
    if (isNobody && this.#mode === 'off') return EVERYBODY;
    const shown = isNobody ? undefined : credentialOf(authorization ?? `Basic ${String(token)}`);
    // Credentials that a browser adds by itself, whichever page causes the request.
    const isKept = hasCertificate || /^basic /i.test(authorization ?? '');
    const isLed = isKept && !this.#isOwn(request);
    const stay = this.#stayOf(request);
    return (behind): Caller => {
      const known =
        hasCertificate ||
        (shown !== undefined && this.#knows(shown, stay)) ||
        (behind !== undefined && this.#knows({ secret: behind }, stay));
      const secret = behind ?? shown?.secret;
      const isOperator = (): boolean =>
        this.#find(shown)?.isOperator === true || (hasCertificate && this.#hasOperatorName(request));
      return {
        name: secret === undefined ? undefined : this.#known.get(hashSecret(secret))?.name,
        isKnown: known,
        // The names of a certificate are read only if needed.
        get isOperator() {
          return isOperator();
        },
        mayCreate: known || this.#mode === 'off',
        mayUse: known || this.#mode !== 'all',
        proof: secret === undefined ? undefined : hashSecret(secret),
        isLed,
      };
    };
  }

  /**
   * Returns what etcd's v3 clients send as `token` after a login: the name and password themselves, so that
   * every replica can verify them and a caller that is no longer known is rejected at once. Undefined:
   * invalid.
   */
  signIn(name: string, password: string): string | undefined {
    if (!this.#isKnown({ name, secret: password })) return undefined;
    return Buffer.from(`${name}:${password}`).toString('base64');
  }

  #knows(credential: Credential, { shown }: Stay): boolean {
    const isKnown = this.#isKnown(credential);
    if (isKnown) shown.set(`${credential.name ?? ''}:${credential.secret}`, credential);
    return isKnown;
  }

  #isKnown(credential: Credential): boolean {
    return this.#find(credential) !== undefined;
  }

  #find(credential: Credential | undefined): KnownCaller | undefined {
    if (credential === undefined) return undefined;
    const { name, secret } = credential;
    const found = this.#known.get(hashSecret(secret));
    return name === undefined || name === found?.name ? found : undefined;
  }

  #hasOperatorName({ socket }: RequestHead): boolean {
    return this.#operatorNames !== undefined && hasAllowedName(socket, this.#operatorNames);
  }

  #stayOf(request: RequestHead): Stay {
    let stay = this.#stays.get(request);
    if (stay === undefined) {
      stay = { shown: new Map() };
      this.#stays.set(request, stay);
    }
    return stay;
  }
}

/** Undefined unless it can be a credential issued here. */
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
