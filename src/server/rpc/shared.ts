import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { memo } from '../../values/memo.ts';

/** Render returns the bytes of a message. */
export type Render = (message: MessageShape<DescMessage>) => Buffer;

/** Longer ones would fill the memory. */
const KEPT_BYTES = 4096;

/** Returns a function that renders messages, and those that several calls get only once. They must not change. */
export function shared(render: Render): Render {
  const known = memo<object, Buffer>();
  return (message) => {
    const before = known.get(message);
    if (before !== undefined) return before;
    const bytes = render(message);
    if (bytes.length > KEPT_BYTES) return bytes;
    // A copy, because Node allocates small buffers from larger ones, which it would hold.
    const kept = Buffer.allocUnsafeSlow(bytes.length);
    kept.set(bytes);
    known.set(message, kept);
    return kept;
  };
}
