import type { Caller } from '../../discovery/access.ts';
import { hashSecret } from '../../discovery/access.ts';
import { hasAllowedName } from '../../port/client-certificates.ts';
import type { PortRequest } from '../../port/port.ts';
import { EVERYBODY, type ResolveCaller } from '../../rpc/caller.ts';
import type { AuthMode } from '../../settings/tables/access.ts';
import type { KnownCaller, KnownCallers } from './auth-file.ts';

interface Credential {
  /** Unset for a bearer. */
  readonly name?: string;
  readonly secret: string;
}

/** A request and what it has open. */
interface Stay {
  /** What it has shown and was known by. */
  readonly shown: Map<string, Credential>;
}

/** Whether a request comes from a page of the service, or from no page at all. */
export type IsOwn = (request: PortRequest) => boolean;

/** Tells what the sender of a request may do. */
export class Callers {
  readonly #mode: AuthMode;
  readonly #isOwn: IsOwn;
  readonly #stays = new WeakMap<PortRequest, Stay>();
  readonly #open = new Map<Stay, () => void>();
  readonly #operatorNames: readonly string[] | undefined;
  #known: KnownCallers;

  /** `operatorNames`: client certificates with one of them are those of operators. */
  constructor(mode: AuthMode, known: KnownCallers, isOwn: IsOwn, operatorNames?: readonly string[]) {
    this.#mode = mode;
    this.#isOwn = isOwn;
    this.#known = known;
    this.#operatorNames = operatorNames;
  }

  /**
   * Takes the place of who was known before, for the calls that follow; what is open of those that are known no more
   * ends. Returns how much that was.
   */
  renew(known: KnownCallers): number {
    this.#known = known;
    const over = [...this.#open].filter(
      ([{ shown }]) => ![...shown].every(([, each]) => this.#isKnown(each)),
    );
    for (const [, end] of over) end();
    return over.length;
  }

  /** Ends what a request has open when its caller is known no more. Returns what forgets it. */
  hold(request: PortRequest, end: () => void): () => void {
    if (this.#mode === 'off') return () => {};
    const stay = this.#stayOf(request);
    this.#open.set(stay, end);
    return () => void this.#open.delete(stay);
  }

  /**
   * By its client certificate or its headers: Authorization (Bearer or Basic), or the `token` of etcd's v3 clients.
   * What is shown is looked up for each call: on a stream there may be many, for long.
   */
  resolverOf(request: PortRequest): ResolveCaller {
    const { authorization, token } = request.headers;
    const hasCertificate = 'authorized' in request.socket && request.socket.authorized;
    const isNobody = authorization === undefined && token === undefined && !hasCertificate;
    if (isNobody && this.#mode === 'off') return EVERYBODY;
    const shown = isNobody ? undefined : credentialOf(authorization ?? `Basic ${String(token)}`);
    // What a browser adds by itself, whoever has it send the request.
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
        // Of a certificate the names are looked up for who asks.
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
   * What etcd's v3 clients send as `token` after they have shown a name and password: both again, so that every
   * replica can look them up, and a caller that is no longer known is refused at once. Undefined: not known.
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

  #hasOperatorName({ socket }: PortRequest): boolean {
    return this.#operatorNames !== undefined && hasAllowedName(socket, this.#operatorNames);
  }

  #stayOf(request: PortRequest): Stay {
    let stay = this.#stays.get(request);
    if (stay === undefined) {
      stay = { shown: new Map() };
      this.#stays.set(request, stay);
    }
    return stay;
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
