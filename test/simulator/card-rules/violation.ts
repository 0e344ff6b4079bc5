/** One breach of the card rules: the sub-code Feishu would name, and where. Source: FEISHU.md §4.6, §4.7, §5. */

/** Sub-codes inside 230099 (`ext=ErrCode: …`), and the codes the client shows for an ack. */
export const SUB_CODES = {
  /** An id in an <at> is empty or malformed. */
  badUserId: 100290,
  tooManyElements: 11310,
  templateMissing: 200380,
  badImageKey: 200570,
  /** Broken JSON, unknown attribute, wrong type or value. */
  badJson: 200621,
  /** The tag does not exist in schema 2.0. */
  badTag: 200861,
  duplicateElementId: 300301,
  notShared: 300302,
  emptyCard: 300307,
  /** A component in a form has no name. */
  namelessInForm: 200530,
  /** The value of a callback is not an object: the client shows this after a click. */
  badCallbackValue: 200671,
  schemaChanged: 200830,
} as const;

const MESSAGES: Readonly<Record<number, string>> = {
  [SUB_CODES.badUserId]: 'invalid user resource',
  [SUB_CODES.tooManyElements]: 'card element exceeds limit',
  [SUB_CODES.templateMissing]: 'template does not exist',
  [SUB_CODES.badImageKey]: 'image key is invalid',
  [SUB_CODES.badJson]: 'parse card json err, please check whether the card json is correct',
  [SUB_CODES.badTag]: 'cards of schema V2 no longer support this capability',
  [SUB_CODES.duplicateElementId]: 'duplicate element_id',
  [SUB_CODES.notShared]: 'only shared cards are supported, update_multi must be true',
  [SUB_CODES.emptyCard]: 'card is empty',
  [SUB_CODES.namelessInForm]: 'name is required for components in a form',
  [SUB_CODES.badCallbackValue]: 'value of a callback must be an object',
  [SUB_CODES.schemaChanged]: 'schema version of a card must not change',
};

export interface Violation {
  readonly subCode: number;
  /** What is wrong and where: `ROOT -> body -> elements -> [0](tag: button)`. */
  readonly detail: string;
}

export const describe = (violation: Violation): string =>
  `ErrCode: ${violation.subCode}; ErrMsg: ${MESSAGES[violation.subCode] ?? 'card is invalid'}; ` +
  `ErrorValue: ${violation.detail}; `;
