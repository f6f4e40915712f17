// The viewer of images.
import PhotoSwipe from 'photoswipe';
import { download } from './actions';
import { href, label, type Entry } from './dav';
import { kindOf } from './files';
import { idOf, shown } from './state';
import { text } from './text';

// measure returns the size of an image, which the viewer needs to zoom it.
const measure = (src: string): Promise<{ width: number; height: number }> => new Promise((resolve, reject) => {
  const image = new Image();
  image.onload = () => resolve({ width: image.naturalWidth || 800, height: image.naturalHeight || 600 });
  image.onerror = reject;
  image.src = src;
});

type Slide = NonNullable<PhotoSwipe['currSlide']>;

// fit gives a slide the size of its image, which is unknown until it is loaded.
const fit = (slide: Slide): void => {
  const { content } = slide, { element } = content;
  if (!(element instanceof HTMLImageElement) || !element.complete || !element.naturalWidth) return;
  const size = { width: element.naturalWidth, height: element.naturalHeight };
  if (slide.width === size.width && slide.height === size.height) return;
  Object.assign(content, size);
  Object.assign(slide, size, { currentResolution: 0 });
  slide.calculateSize();
  slide.zoomAndPanToInitial();
  slide.applyCurrentZoomPan();
  slide.updateContentSize(true);
};

export const show = async (first: Entry): Promise<void> => {
  const images = shown.value.filter((e) => kindOf(e) === 'image');
  const sizes = new Map([[idOf(first), await measure(href(first))]]);
  const viewer = new PhotoSwipe({
    dataSource: images.map((e) => ({ src: href(e), alt: label(e.name), ...sizes.get(idOf(e)) ?? { width: innerWidth, height: innerHeight } })),
    index: images.indexOf(first), bgOpacity: 0.97, loop: false, wheelToZoom: true, showHideAnimationType: 'none',
    zoomAnimationDuration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 333,
    closeTitle: text.close, zoomTitle: text.zoom, arrowPrevTitle: text.previous, arrowNextTitle: text.next,
  });
  viewer.on('loadComplete', ({ slide }) => { if (slide) fit(slide); });
  viewer.on('afterSetContent', ({ slide }) => fit(slide)); // the image may have been loaded before
  viewer.on('uiRegister', () => {
    viewer.ui!.registerElement({
      name: 'download', order: 8, isButton: true, title: text.download,
      html: { isCustomSVG: true, size: 32, inner: '<path d="M15 7h2v9h4l-5 6-5-6h4zM8 24h16v2H8z" id="download-shape"/>', outlineID: 'download-shape' },
      onClick: () => download([images[viewer.currIndex]!]),
    });
    viewer.ui!.registerElement({
      name: 'caption', order: 9, appendTo: 'root',
      onInit: (element) => viewer.on('change', () => { element.textContent = label(images[viewer.currIndex]?.name ?? ''); }),
    });
  });
  viewer.on('initialLayout', () => viewer.element!.setAttribute('aria-label', text.kindOf('image')));
  viewer.init();
};
