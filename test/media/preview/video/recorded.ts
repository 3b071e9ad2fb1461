/** What ffprobe 5.1.9 has written of files, without the fields that are not read. */

export const AVI = `{"programs":[],"streams":[{"codec_name":"mpeg4","codec_type":"video","width":96,"height":64,
"sample_aspect_ratio":"1:1","r_frame_rate":"10/1","avg_frame_rate":"10/1","duration":"2.000000",
"disposition":{"attached_pic":0},"tags":{}},{"codec_name":"mp2","codec_type":"audio","r_frame_rate":"0/0",
"avg_frame_rate":"0/0","duration":"2.037551","disposition":{"attached_pic":0},"tags":{}}],
"format":{"duration":"2.037551","bit_rate":"91945"}}`;

/** Of a phone that was held upright. */
export const TURNED = `{"programs":[],"streams":[{"codec_name":"hevc","codec_type":"video","width":1920,"height":1080,
"sample_aspect_ratio":"1:1","r_frame_rate":"30/1","avg_frame_rate":"30000/1001","duration":"12.5",
"disposition":{"attached_pic":0},"tags":{"rotate":"90"},"side_data_list":[{},{"rotation":-90}]}],
"format":{"duration":"12.512000","bit_rate":"8000000"}}`;

/** Of a broadcast, whose pixels are not square. */
export const WIDE_PIXELS = `{"programs":[{"streams":[]}],"streams":[{"codec_name":"mpeg2video","codec_type":"video",
"width":720,"height":576,"sample_aspect_ratio":"64:45","r_frame_rate":"25/1","avg_frame_rate":"25/1",
"side_data_list":[{}]},{"codec_name":"pcm_s16le","codec_type":"audio","avg_frame_rate":"0/0"}],"format":{}}`;

/** Of a sound with a cover. */
export const COVER = `{"programs":[],"streams":[{"codec_name":"mp3","codec_type":"audio","avg_frame_rate":"0/0",
"duration":"0.3"},{"codec_name":"mjpeg","codec_type":"video","width":40,"height":30,"avg_frame_rate":"0/0",
"disposition":{"attached_pic":1}}],"format":{"duration":"0.339","bit_rate":"38000"}}`;
