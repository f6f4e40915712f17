// The keyboard focus.

// focusListing gives the focus to the list of entries.
export const focusListing = (): void => document.querySelector<HTMLElement>('.scroller')?.focus({ preventScroll: true });

// keepFocus gives the focus to the list if the element that had it is gone.
export const keepFocus = (): void => {
  const { activeElement } = document;
  if (!activeElement || activeElement === document.body) focusListing();
};
