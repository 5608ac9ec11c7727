namespace AiOptix.Kernels.Sample;

/// <summary>One axis of windows over an image: window w and tap t meet element w·Stride + t·Dilation - Begin.</summary>
/// <param name="Image">Elements of the image.</param>
/// <param name="Windows">Windows.</param>
/// <param name="Taps">Elements of a window.</param>
/// <param name="Stride">Elements from a window to the next.</param>
/// <param name="Dilation">Elements from a tap to the next.</param>
/// <param name="Begin">Elements before the image.</param>
public readonly record struct WindowAxis(long Image, long Windows, long Taps, long Stride, long Dilation, long Begin);
