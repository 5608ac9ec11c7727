namespace AiOptix.Differential.Tests;

/// <summary>Small encoded images.</summary>
internal static class ImageFiles
{
    /// <summary>A bitmap of 2 × 2 points of 24 bits.</summary>
    public static byte[] Any(Draw draw)
    {
        var file = new byte[70];
        file[0] = (byte)'B';
        file[1] = (byte)'M';
        file[2] = 70;
        file[10] = 54;
        file[14] = 40;
        file[18] = 2;
        file[22] = 2;
        file[26] = 1;
        file[28] = 24;
        for (var i = 54; i < 70; i++) file[i] = (byte)draw.Below(256);
        return file;
    }
}
