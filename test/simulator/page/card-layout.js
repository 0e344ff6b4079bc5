/** Spacing of containers: names of Feishu's or pixels (FEISHU.md §5.1). */

const SPACING = { small: '4px', medium: '8px', large: '12px', extra_large: '16px' };

/** Applies the paddings and gaps that a body, column, column set or panel names. */
export function applySpacing(node, layout) {
  if (layout.padding) node.style.padding = layout.padding;
  if (layout.vertical_spacing) node.style.rowGap = SPACING[layout.vertical_spacing] ?? layout.vertical_spacing;
  if (layout.horizontal_spacing) node.style.columnGap = SPACING[layout.horizontal_spacing] ?? layout.horizontal_spacing;
}
