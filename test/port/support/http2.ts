import {
  ERROR,
  FLAG,
  type Frame,
  frame,
  GET,
  HELLO,
  headers,
  parseFrames,
  statusOf,
  TYPE,
} from './frames.ts';
import { RawClient } from './raw.ts';

const ERROR_NAMES = new Map<number, string>(Object.entries(ERROR).map(([name, code]) => [code, name]));

/** An HTTP/2 client made of frames. It acknowledges settings and pings unless it is deaf. */
export class RawHttp2Client {
  readonly raw: RawClient;
  readonly #timer: NodeJS.Timeout;
  #acknowledged = 0;

  private constructor(raw: RawClient, deaf: boolean) {
    this.raw = raw;
    this.#timer = setInterval(() => {
      if (raw.end !== 'open') clearInterval(this.#timer);
      else if (!deaf) this.#acknowledge();
    }, 10);
  }

  static async connect(
    port: number,
    options: { readonly hello?: Uint8Array; readonly deaf?: boolean; readonly from?: string } = {},
  ): Promise<RawHttp2Client> {
    const raw = await RawClient.connect(port, options.from);
    raw.send(options.hello ?? HELLO);
    return new RawHttp2Client(raw, options.deaf ?? false);
  }

  get frames(): Frame[] {
    return parseFrames(this.raw.heard);
  }

  /**
   * Returns what was received, without connection upkeep: `1:200 1:reset(CANCEL) goaway(NO_ERROR)`. Long transcripts
   * are cut.
   */
  transcript(): string {
    const all = this.frames.flatMap(describe);
    return (all.length > 40 ? [...all.slice(0, 20), '...', ...all.slice(-20)] : all).join(' ');
  }

  /** Requests a path on a stream and waits for the status. */
  async get(stream: number, path: string): Promise<number> {
    const fields = GET.map(([name, value]) => [name, name === ':path' ? path : value] as const);
    this.raw.send(headers(stream, fields));
    const answer = (): Frame | undefined =>
      this.frames.find((each) => each.type === TYPE.HEADERS && each.stream === stream);
    await this.raw.until(`a response on stream ${stream}`, () => answer() !== undefined);
    return statusOf(answer() as Frame) ?? Number.NaN;
  }

  destroy(): void {
    clearInterval(this.#timer);
    this.raw.destroy();
  }

  #acknowledge(): void {
    const { frames } = this;
    for (const { type, flags, payload } of frames.slice(this.#acknowledged)) {
      if ((type === TYPE.PING || type === TYPE.SETTINGS) && (flags & FLAG.ACK) === 0) {
        this.raw.send(frame(type, FLAG.ACK, 0, type === TYPE.PING ? payload : Buffer.alloc(0)));
      }
    }
    this.#acknowledged = frames.length;
  }
}

function describe(each: Frame): string[] {
  const { type, stream, payload } = each;
  const error = (at: number): string => ERROR_NAMES.get(payload.readUInt32BE(at)) ?? 'another error';
  if (type === TYPE.HEADERS) return [`${stream}:${statusOf(each) ?? 'trailers'}`];
  if (type === TYPE.RST_STREAM) return [`${stream}:reset(${error(0)})`];
  return type === TYPE.GOAWAY ? [`goaway(${error(4)})`] : [];
}
