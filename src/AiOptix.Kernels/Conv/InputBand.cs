using System.Runtime.CompilerServices;

namespace AiOptix.Kernels.Conv;

/// <summary>Fills and copies pixels of one element type.</summary>
internal unsafe interface IPixelLines<T> where T : unmanaged
{
    /// <summary>Writes n elements of one value.</summary>
    static abstract void Fill(T* to, nint n, T value);

    /// <summary>Copies n pixels of some channels each, from pixels at any distance to pixels at any distance.</summary>
    static abstract void Run(T* from, nint pitch, T* to, nint toPitch, int n, int channels);

    /// <summary>Copies n pixels whose channels lie in planes at some distance to adjacent pixels of adjacent channels.</summary>
    static abstract void Interleave(T* planes, nint plane, T* to, int n, int channels);
}

/// <summary>Input lines with their padding, copied so that no window of a task reaches beyond them.</summary>
internal static unsafe class InputBand<T, TLines> where T : unmanaged where TLines : struct, IPixelLines<T>
{
    /// <summary>Copies what a task's windows see of a group's channels.</summary>
    /// <param name="s">The convolution.</param>
    /// <param name="x">The input.</param>
    /// <param name="padding">What lies around it.</param>
    /// <param name="image">The image.</param>
    /// <param name="slice">The output slice.</param>
    /// <param name="group">The group.</param>
    /// <param name="at">The task.</param>
    /// <param name="band">Where the lines go.</param>
    /// <param name="pixel">Elements from a pixel of the band to the next; adjacent where the input has its channels first.</param>
    /// <param name="row">From a line to the next.</param>
    /// <param name="plane">From a slice to the next.</param>
    [MethodImpl(HotCode.Optimized)]
    public static void Spread(in ConvShape s, T* x, T padding, int image, int slice, int group, in TileTask at, T* band, nint pixel, nint row, nint plane)
    {
        ConvAxis depth = s.Depth, height = s.Height, width = s.Width;
        int rows = height.Reach(at.Rows), columns = width.Reach(at.Columns), left = at.Column * width.Stride - width.PadBegin;
        int lo = Math.Clamp(-left, 0, columns), hi = Math.Clamp(width.Input - left, lo, columns);
        var channels = s.GroupChannels;
        for (var d = 0; d < depth.Kernel; d++)
        {
            var z = slice * depth.Stride + d * depth.Dilation - depth.PadBegin;
            for (var r = 0; r < rows; r++)
            {
                var i = at.Row * height.Stride + r - height.PadBegin;
                var to = band + d * plane + r * row;
                if ((uint)z >= (uint)depth.Input || (uint)i >= (uint)height.Input)
                {
                    TLines.Fill(to, columns * pixel, padding);
                    continue;
                }
                TLines.Fill(to, lo * pixel, padding);
                TLines.Fill(to + hi * pixel, (columns - hi) * pixel, padding);
                if (s.ReadsChannelsFirst)
                {
                    var planes = x + (((nint)image * s.Channels + (nint)group * channels) * depth.Input + z) * height.Input * width.Input + (nint)i * width.Input + left;
                    TLines.Interleave(planes + lo, s.InputPixels, to + lo * pixel, hi - lo, channels);
                }
                else
                {
                    var from = x + ((((nint)image * depth.Input + z) * height.Input + i) * width.Input + left) * s.XPitch + (nint)group * channels;
                    TLines.Run(from + (nint)lo * s.XPitch, s.XPitch, to + lo * pixel, pixel, hi - lo, channels);
                }
            }
        }
    }

    /// <summary>Makes the code ready.</summary>
    public static void Rehearse()
    {
        TLines.Fill(null, 0, default);
        TLines.Run(null, 0, null, 0, 0, 1);
        TLines.Interleave(null, 0, null, 0, 1);
    }
}
