/** Which files are pictures that are read, by their names; and how these kinds are called. */

/** For people. */
export const KINDS_OR = 'PNG, JPEG, BMP, GIF or TIFF';
export const KINDS_AND = 'PNG, JPEG, BMP, GIF and TIFF';
/** Turns pictures of other kinds into such. */
export const CONVERSION = 'magick mogrify -format png';

/** Names of files that are images, by their ending. */
export const isImageName = (name: string): boolean => /\.(png|jpe?g|bmp|gif|tiff?)$/i.test(name);

/** Names of pictures of kinds that are not read. */
export const isUnreadImageName = (name: string): boolean =>
  /\.(webp|avif|heic|heif|jp2|j2k|jxl|tga|p[bgpn]m|psd|svg|ico|eps|exr|hdr|dng|cr2|nef)$/i.test(name);
