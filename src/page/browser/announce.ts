import { type Cluster, type MemberEvent, MemberEventType } from '../../../gen/discovery/v1/cluster_pb.ts';
import { summary } from '../view/standing.ts';

/** The pause in changes, in ms, after which they are announced: a burst of registrations is one sentence. */
const PAUSE_MS = 1000;
const NAMES_TOLD = 3;

/** Announcer reports changes to screen readers, in self-contained sentences. */
export class Announcer {
  readonly #element: Element | null;
  #happened: string[] = [];
  #cluster: Cluster | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(element: Element | null) {
    this.#element = element;
  }

  /** Announces a text now. */
  readonly say = (text: string): void => {
    if (this.#element !== null) this.#element.textContent = text;
  };

  /** Announces a change, with the state of the cluster after it. */
  change(event: MemberEvent, cluster: Cluster): void {
    this.#happened.push(changeText(event));
    this.#cluster = cluster;
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      const happened = this.#happened;
      const told = happened.length > NAMES_TOLD ? `${happened.length} changes.` : happened.join(' ');
      this.#timer = undefined;
      this.#happened = [];
      this.say(this.#cluster === undefined ? told : `${told} ${summary(this.#cluster)}`);
    }, PAUSE_MS);
  }
}

function changeText({ type, member }: MemberEvent): string {
  const name = member?.name ?? 'A node';
  switch (type) {
    case MemberEventType.REGISTERED:
      return `${name} registered.`;
    case MemberEventType.REPLACED:
      return `${name} changed.`;
    case MemberEventType.DEREGISTERED:
      return `${name} deregistered.`;
    case MemberEventType.TOKEN_DELETED:
      return 'The token was deleted.';
    case MemberEventType.TOKEN_REOPENED:
      return 'The token was reopened.';
    default:
      return 'The cluster changed.';
  }
}
