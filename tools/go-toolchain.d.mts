export declare function fetchGo(cache?: string): string;
