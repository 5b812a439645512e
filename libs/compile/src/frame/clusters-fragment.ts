import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';

/**
 * A message, or part of one, as a plain object: what features return, and what the frame spreads into the cluster.
 * (`MessageInitShape` also allows finished messages, which cannot be spread.)
 */
export type Fragment<Desc extends DescMessage> = Exclude<MessageInitShape<Desc>, MessageShape<Desc>>;
